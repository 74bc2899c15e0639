//! Values against closed forms, gradients against differences, positions there and back.

use ppl::infer::{LogDensity, ModelDensity};
use ppl::prelude64::*;

type Scalar = Tensor<()>;
type Schools = Tensor<Rank1<8>>;

const EFFECTS: [f64; 8] = [28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0];
const ERRORS: [f64; 8] = [15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0];

/// Rubin's eight schools.
#[model]
fn schools(effects: &Schools, errors: &Schools) {
    let mu: Scalar = sample!("mu", Normal::new(0.0, 5.0));
    let tau: Scalar = sample!("tau", HalfCauchy::new(5.0));
    plate!("schools", 8, |_| {
        let theta: Schools = sample!("theta", Normal::new(Schools::zeros() + &mu, &tau));
        sample!("effect", Normal::new(theta, errors), obs = effects);
    });
}

fn normal(x: f64, loc: f64, scale: f64) -> f64 {
    let z = (x - loc) / scale;
    -0.5 * z * z - scale.ln() - 0.5 * std::f64::consts::TAU.ln()
}

#[test]
fn the_eight_schools_have_their_closed_form() {
    let (effects, errors) = (Tensor::from(EFFECTS), Tensor::from(ERRORS));
    let mut density = ModelDensity::new(schools, (&effects, &errors)).unwrap();
    let names: Vec<_> = density.sites().iter().map(|site| (site.name.as_str(), site.range.clone())).collect();
    assert_eq!(names, [("mu", 0..1), ("tau", 1..2), ("theta", 2..10)]);
    assert_eq!(density.dim(), 10);

    let position = [3.0, 0.7, 9.0, -2.0, 0.5, 4.0, 1.0, 2.0, 11.0, 6.0];
    let (mu, tau) = (position[0], 0.7_f64.exp());
    // ln of the half Cauchy, and of the Jacobian of the exponential.
    let prior = normal(mu, 0.0, 5.0) - (std::f64::consts::PI * 2.5 * (1.0 + (tau / 5.0).powi(2))).ln() + 0.7;
    let terms = (0..8).map(|i| normal(position[2 + i], mu, tau) + normal(EFFECTS[i], position[2 + i], ERRORS[i]));
    let expected = prior + terms.sum::<f64>();

    let mut gradient = [0.0; 10];
    let found = density.evaluate(&position, &mut gradient).unwrap();
    assert!((found - expected).abs() < 1e-12 * expected.abs(), "{found} and {expected}");
    assert_eq!(density.log_density(&position).unwrap(), found);
    check_gradient(&mut |at| density.log_density(at).unwrap(), &position, &gradient);
}

/// Central differences of fourth order.
fn check_gradient(f: &mut dyn FnMut(&[f64]) -> f64, position: &[f64], gradient: &[f64]) {
    let step = 1e-3;
    for i in 0..position.len() {
        let mut at = |by: f64| {
            let mut moved = position.to_vec();
            moved[i] += by * step;
            f(&moved)
        };
        let slope = (8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0))) / (12.0 * step);
        assert!((slope - gradient[i]).abs() < 1e-7 * (1.0 + slope.abs()), "number {i}: {slope} and {}", gradient[i]);
    }
}

#[model]
fn part(center: &Scalar) -> Scalar {
    sample!("x", Normal::new(center.clone(), 1.0))
}

/// One of everything: constraints, weights, factors, parameters, submodels, families, data.
#[model]
fn everything(data: &Tensor<Rank1<3>>) {
    let rate: Scalar = sample!("rate", Gamma::new(2.0, 3.0));
    let probs: Tensor<Rank1<3>> = sample!("probs", Dirichlet::new(Tensor::from([1.0, 2.0, 3.5])));
    let tril: Tensor<(usize, usize)> = sample!("tril", LKJCholesky::new(3, 1.7), scale = 0.5);
    let within: Scalar = sample!("within", Uniform::new(-1.0, 4.0));
    let shift: Scalar = param!("shift", Scalar::scalar(0.3), constraint = Positive);
    let center = deterministic!("center", &rate + &within);
    let x = submodel!("part", part(&center));
    let mut last = x;
    for t in 0..2 {
        last = sample!("step_{t}", Normal::new(last, &rate));
    }
    factor!("term", tril.square().sum_all() * 0.1 + probs.ln().sum_all());
    plate!("rows", 3, |_| {
        sample!("y", Normal::new(data * 0.0 + &last + &shift, 0.5), obs = data);
    });
}

const POSITION: [f64; 11] = [0.4, -0.3, 0.8, 0.2, -0.5, 0.9, -1.1, 0.6, -0.2, 1.4, 0.1];

#[test]
fn every_statement_takes_part_with_its_gradient() {
    let data = Tensor::from([0.1, 0.9, 1.7]);
    let mut density = ModelDensity::new(everything, &data).unwrap();
    let names: Vec<_> = density.sites().iter().map(|site| (site.name.as_str(), site.range.len())).collect();
    let expected = [("rate", 1), ("probs", 2), ("tril", 3), ("within", 1), ("part/x", 1), ("step_0", 1), ("step_1", 1)];
    assert_eq!(names, expected);
    let position = &POSITION[..density.dim()];

    let mut gradient = vec![0.0; density.dim()];
    let value = density.evaluate(position, &mut gradient).unwrap();
    check_gradient(&mut |at| density.log_density(at).unwrap(), position, &gradient);

    // The trace has all terms but the Jacobians.
    let trace = density.trace(position).unwrap();
    let (rate, within): (&Scalar, &Scalar) = (trace.value("rate").unwrap(), trace.value("within").unwrap());
    let center: &Scalar = trace.value("center").unwrap();
    assert!((rate.item() - 0.4_f64.exp()).abs() < 1e-12);
    assert!((center.item() - rate.item() - within.item()).abs() < 1e-12);
    assert!(trace.log_prob_sum().item() != value);
    // A parameter has its value from the store.
    let moved = {
        let mut store = ParamStore::new(0);
        store_shift(&mut store, &data);
        store
    };
    let other = ModelDensity::with_params(everything, &data, moved).unwrap().log_density(position).unwrap();
    assert!((other - value).abs() > 1e-3, "{other} and {value}");
}

fn store_shift(store: &mut ParamStore<f64, Cpu>, data: &Tensor<Rank1<3>>) {
    let mut prior = ppl::handlers::Prior::seeded(0);
    let mut params = ppl::handlers::Params::new(store, &mut prior);
    Model::run(&everything, &mut params, (data,));
    store.each_tensor_mut(|_, tensor| tensor.set(&[1.0]).unwrap());
}

#[test]
fn positions_go_to_values_and_back() {
    let data = Tensor::from([0.1, 0.9, 1.7]);
    let mut density = ModelDensity::new(everything, &data).unwrap();
    let position = POSITION[..density.dim()].to_vec();
    let values = density.trace(&position).unwrap().latents();
    let back = density.position(values).unwrap();
    assert!(back.iter().zip(&position).all(|(a, b)| (a - b).abs() < 1e-10), "{back:?}");

    let error = density.position(ValueMap::new()).unwrap_err().to_string();
    assert!(error.contains("`rate`") && error.contains("no value"), "{error}");
}

#[test]
fn where_the_model_has_no_density_it_is_minus_infinity_or_nan_and_no_error() {
    let (effects, errors) = (Tensor::from(EFFECTS), Tensor::from(ERRORS));
    let mut density = ModelDensity::new(schools, (&effects, &errors)).unwrap();
    let mut position = [0.0; 10];
    position[0] = 1e200;
    assert_eq!(density.log_density(&position).unwrap(), f64::NEG_INFINITY);
    position[0] = f64::NAN;
    assert!(density.evaluate(&position, &mut [0.0; 10]).unwrap().is_nan());
}
