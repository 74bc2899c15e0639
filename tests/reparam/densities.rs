//! The density of a model with a strategy is that of the model without, by the change of variables; with
//! c = 0 it is that of the non-centred model written by hand.

use ppl::infer::{LogDensity, ModelDensity};
use ppl::prelude64::*;

type Scalar = Tensor<()>;
type Schools = Tensor<Rank1<8>>;

const EFFECTS: [f64; 8] = [28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0];
const ERRORS: [f64; 8] = [15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0];

/// Rubin's eight schools, centred.
#[model]
pub(crate) fn schools(effects: &Schools, errors: &Schools) {
    let mu: Scalar = sample!("mu", Normal::new(0.0, 5.0));
    let tau: Scalar = sample!("tau", HalfCauchy::new(5.0));
    plate!("schools", 8, |_| {
        let theta: Schools = sample!("theta", Normal::new(Schools::zeros() + &mu, &tau));
        sample!("effect", Normal::new(theta, errors), obs = effects);
    });
}

/// The same, non-centred by hand.
#[model]
fn by_hand(effects: &Schools, errors: &Schools) {
    let mu: Scalar = sample!("mu", Normal::new(0.0, 5.0));
    let tau: Scalar = sample!("tau", HalfCauchy::new(5.0));
    plate!("schools", 8, |_| {
        let eta: Schools = sample!("eta", Normal::standard());
        sample!("effect", Normal::new(&mu + &tau * eta, errors), obs = effects);
    });
}

const POSITION: [f64; 10] = [3.0, 0.7, 0.9, -2.0, 0.5, 1.4, 1.0, -0.2, 1.1, -0.6];

#[test]
fn without_centring_it_is_the_model_written_by_hand() {
    let (effects, errors) = (Tensor::from(EFFECTS), Tensor::from(ERRORS));
    let moved = schools.reparam(Reparam::new().site("theta", LocScale::new(0.0)));
    let mut moved = ModelDensity::new(moved, (&effects, &errors)).unwrap();
    let mut hand = ModelDensity::new(by_hand, (&effects, &errors)).unwrap();
    let names: Vec<_> = moved.sites().iter().map(|site| site.name.as_str()).collect();
    assert_eq!(names, ["mu", "tau", "theta_decentered"]);
    let (mut a, mut b) = ([0.0; 10], [0.0; 10]);
    assert_eq!(moved.evaluate(&POSITION, &mut a).unwrap(), hand.evaluate(&POSITION, &mut b).unwrap());
    // Sums are taken in another order.
    assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-15 * (1.0 + b.abs())), "{a:?} and {b:?}");
}

#[test]
fn by_degrees_it_is_the_centred_model_by_the_change_of_variables() {
    let (effects, errors) = (Tensor::from(EFFECTS), Tensor::from(ERRORS));
    let mut centred = ModelDensity::new(schools, (&effects, &errors)).unwrap();
    for c in [0.0, 0.3, 1.0] {
        let moved = schools.reparam(Reparam::new().site("theta", LocScale::new(c)));
        let mut moved = ModelDensity::new(moved, (&effects, &errors)).unwrap();
        let (mu, tau) = (POSITION[0], POSITION[1].exp());
        let mut image = POSITION;
        image[2..].iter_mut().for_each(|x| *x = mu + tau.powf(1.0 - c) * (*x - c * mu));
        let jacobian = 8.0 * (1.0 - c) * tau.ln();
        let (found, expected) =
            (moved.log_density(&POSITION).unwrap(), centred.log_density(&image).unwrap() + jacobian);
        assert!((found - expected).abs() <= 1e-12 * expected.abs(), "c = {c}: {found} and {expected}");
        // The run of a position has theta where the model had it.
        let trace: SchoolsTrace = moved.trace(&POSITION).unwrap().typed().unwrap();
        assert!(trace.theta.value.to_vec().iter().zip(&image[2..]).all(|(a, b)| (a - b).abs() < 1e-12));
        assert_eq!((trace.theta.log_prob, trace.theta.observed), (0.0, false));
        gradient_by_differences(&mut moved, &POSITION);
    }
}

/// Central differences of fourth order.
pub(crate) fn gradient_by_differences<D: LogDensity<f64>>(density: &mut D, position: &[f64]) {
    let mut gradient = vec![0.0; position.len()];
    density.evaluate(position, &mut gradient).unwrap();
    for i in 0..position.len() {
        let step = 1e-3;
        let mut at = |by: f64| {
            let mut moved = position.to_vec();
            moved[i] += by * step;
            density.evaluate(&moved, &mut vec![0.0; position.len()]).unwrap()
        };
        let slope = (8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0))) / (12.0 * step);
        assert!((slope - gradient[i]).abs() < 1e-7 * (1.0 + slope.abs()), "number {i}: {slope} and {}", gradient[i]);
    }
}

/// A walk in logarithms inside a submodel, whose steps are a family.
#[model]
fn growth(rate: &Scalar) -> Scalar {
    let mut level: Scalar = sample!("start", LogNormal::new(rate, 0.5));
    for t in 0..2 {
        level = sample!("step_{t}": Scalar, LogNormal::new(level.ln(), rate));
    }
    level
}

#[model]
fn all(data: &Tensor<Rank1<3>>) {
    let rate: Scalar = sample!("rate", Gamma::new(2.0, 3.0));
    let level = submodel!("growth", growth(&rate));
    let loc: Tensor<Rank1<2>> = sample!(
        "loc",
        MultivariateNormal::from_scale_tril(Tensor::from([1.0, -1.0]), Tensor::from([[2.0, 0.0], [0.5, 1.5]]))
    );
    plate!("rows", 3, |_| {
        let x: Tensor<Rank1<3>> = sample!("x", StudentT::new(4.0, data * 0.0 + &level, &rate));
        sample!("y", Normal::new(x + loc.sum_all(), 0.5), obs = data);
    });
}

#[test]
fn every_strategy_in_submodels_families_and_plates() {
    let data = Tensor::from([0.1, 0.9, 1.7]);
    let list = Reparam::new()
        .site("growth/start", TransformBase)
        .site("growth/start_base", LocScale::new(0.5))
        .site("growth/step_{}", TransformBase)
        .site("growth/step_{}_base", LocScale::new(0.0))
        .site("loc", TransformBase)
        .site("x", LocScale::new(0.3));
    let mut plain = ModelDensity::new(all, &data).unwrap();
    let mut moved = ModelDensity::new(all.reparam(list), &data).unwrap();
    let names: Vec<_> = moved.sites().iter().map(|site| site.name.as_str()).collect();
    let decentred = ["growth/start_base_decentered", "growth/step_0_base_decentered", "growth/step_1_base_decentered"];
    assert_eq!(names, [&["rate"], &decentred[..], &["loc_base", "x_decentered"]].concat());

    let position = [0.4, -0.3, 0.8, 0.2, -0.5, 0.9, -1.1, 0.6, -0.2];
    let trace = moved.trace(&position).unwrap();
    let image: AllTrace = trace.typed().unwrap();
    let at = plain.position(values_of(&image)).unwrap();
    // ln |det| of the maps between unconstrained numbers: scales to the power 1 − c, and the matrix.
    let ln_rate = position[0];
    let steps = 0.5 * 0.5_f64.ln() + 2.0 * ln_rate;
    let jacobian = steps + (2.0_f64 * 1.5).ln() + 3.0 * 0.7 * ln_rate;
    let (found, expected) = (moved.log_density(&position).unwrap(), plain.log_density(&at).unwrap() + jacobian);
    assert!((found - expected).abs() <= 1e-12 * expected.abs(), "{found} and {expected}");
    gradient_by_differences(&mut moved, &position);
}

/// The latent values of a typed trace.
fn values_of(trace: &AllTrace) -> ValueMap {
    let mut values = ValueMap::new();
    values.put("rate", Some(trace.rate.value.clone()));
    values.put("growth/start", Some(trace.growth.start.value.clone()));
    for (t, step) in &trace.growth.step {
        values.put(format!("growth/step_{t}"), Some(step.value.clone()));
    }
    values.put("loc", Some(trace.loc.value.clone()));
    values.put("x", Some(trace.x.value.clone()));
    values
}
