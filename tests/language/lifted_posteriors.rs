//! Posteriors of lifted parameters against closed forms, and the parameters beside them that are not lifted.

use ppl::handlers::Lift;
use ppl::infer::optim::Schedule;
use ppl::infer::{Adam, AutoNormal, LogDensity, ModelDensity, RunOptions, Svi, TraceElbo};
use ppl::nn::{Dfdx, Linear};
use ppl::prelude64::*;

type Table = Tensor<(usize, Const<2>)>;
type Column = Tensor<(usize, Const<1>)>;

const X: [[f64; 2]; 4] = [[1.0, 0.5], [-0.3, 2.0], [0.8, -1.0], [0.2, 0.4]];
const Y: [f64; 4] = [1.2, -0.4, 1.9, 0.3];
const NOISE: f64 = 0.7;
const PRIOR: f64 = 2.0;

fn data() -> (Table, Column) {
    (Table::from_vec(X.concat(), (4, Const)), Column::from_vec(Y.to_vec(), (4, Const)))
}

#[model]
fn linear(x: &Table, y: &Column) {
    let net: Linear<Const<2>, Const<1>, f64> = module!("net", |init| Linear::new(init, Const, Const));
    sample!("y", Normal::new(net.forward(x), NOISE).to_event::<Axis<1>>(), obs = y);
}

/// The precision Λ and Λ·mean of two weights and a bias (Bishop, *Pattern Recognition and Machine Learning*, 3.3.1).
fn exact() -> ([[f64; 3]; 3], [f64; 3]) {
    let rows = X.map(|x| [x[0], x[1], 1.0]);
    let sum = |f: &dyn Fn(&[f64; 3], f64) -> f64| rows.iter().zip(Y).map(|(x, y)| f(x, y)).sum::<f64>() / NOISE.powi(2);
    let prior = |i, j| if i == j { PRIOR.powi(-2) } else { 0.0 };
    let precision = [0, 1, 2].map(|i| [0, 1, 2].map(|j| prior(i, j) + sum(&|x, _| x[i] * x[j])));
    (precision, [0, 1, 2].map(|i| sum(&|x, y| x[i] * y)))
}

#[test]
fn a_lifted_regression_has_the_exact_posterior() {
    let (x, y) = data();
    let lifted = linear.lift(Lift::new().normal("net.*", PRIOR));
    let (precision, moment) = exact();
    let slope = |i: usize, p: &[f64; 3]| moment[i] - (0..3).map(|j| precision[i][j] * p[j]).sum::<f64>();
    let mut density = ModelDensity::new(lifted, (&x, &y)).unwrap();
    // A normal distribution is known by the slopes of its log-density, which are affine: four positions say all.
    for position in [[0.0; 3], [1.0, 0.0, 0.0], [0.0, -2.0, 0.0], [0.3, 0.0, 4.0]] {
        let mut gradient = [0.0; 3];
        density.evaluate(&position, &mut gradient).unwrap();
        for (i, found) in gradient.into_iter().enumerate() {
            assert!((found - slope(i, &position)).abs() < 1e-10, "{i}: {found} for {}", slope(i, &position));
        }
    }
}

#[test]
fn an_autoguide_finds_lifted_weights() {
    let (x, y) = data();
    let lifted = || linear.lift(Lift::new().normal("net.*", PRIOR));
    let guide = AutoNormal::new(lifted(), (&x, &y)).unwrap();
    let adam = Adam::new(0.05).schedule(Schedule::Cosine { warmup: 0, steps: 1500, floor: 0.002 });
    let mut svi = Svi::new(lifted(), guide.clone(), adam, TraceElbo::with_particles(8)).seed(3);
    svi.run(RunOptions::steps(1500), (&x, &y)).unwrap();
    assert!(!svi.params().names().any(|name| name.starts_with("net")), "a lifted weight is no parameter");
    let (found, (precision, moment)) = (guide.posterior(svi.params()), exact());
    for i in 0..3 {
        // The best independent normals have the exact mean, so that Λ·mean is that of the posterior, and sds 1/√Λᵢᵢ.
        let (sd, scale) = (found.scale()[i], precision[i][i].sqrt());
        assert!((sd * scale - 1.0).abs() < 0.05, "sd {i}: {sd}");
        let pulled = (0..3).map(|j| precision[i][j] * found.loc[j]).sum::<f64>() - moment[i];
        assert!(pulled.abs() < 0.2 * scale, "mean {i}: {pulled}");
    }
}

#[test]
fn a_network_of_dfdx_has_the_density_of_its_arithmetic() {
    use dfdx::nn::builders as d;
    #[model]
    fn network(x: &Table, y: &Column) {
        let net = module!("net", Dfdx::<(d::Linear<2, 3>, d::ReLU, d::Linear<3, 1>)>::build);
        let mean: Column = net.forward(x);
        sample!("y", Normal::new(mean, NOISE), obs = y);
    }
    let (x, y) = data();
    let mut density = ModelDensity::new(network.lift(Lift::new().normal("net.*", 1.0)), (&x, &y)).unwrap();
    let names: Vec<&str> = density.sites().iter().map(|site| site.name.as_str()).collect();
    assert_eq!(names, ["net.0.weight", "net.0.bias", "net.2.weight", "net.2.bias"]);
    let p: Vec<f64> = (0..13).map(|i| (f64::from(i) * 0.7).sin()).collect();
    let log_normal = |x: f64, scale: f64| -0.5 * (x / scale).powi(2) - scale.ln() - 0.5 * std::f64::consts::TAU.ln();
    // Weights are (out, in), row-major.
    let output = |x: [f64; 2]| {
        let hidden = |k: usize| (p[2 * k] * x[0] + p[2 * k + 1] * x[1] + p[6 + k]).max(0.0);
        (0..3).map(|k| p[9 + k] * hidden(k)).sum::<f64>() + p[12]
    };
    let prior: f64 = p.iter().map(|&w| log_normal(w, 1.0)).sum();
    let likelihood: f64 = X.iter().zip(Y).map(|(&x, y)| log_normal(y - output(x), NOISE)).sum();
    let found = density.log_density(&p).unwrap();
    assert!((found - prior - likelihood).abs() < 1e-12, "{found} for {}", prior + likelihood);
}

#[test]
fn a_parameter_whose_name_begins_a_pattern_is_still_learned() {
    #[model]
    fn two(x: &Table, y: &Column) {
        let offset: Tensor<()> = param!("net", Tensor::scalar(0.0));
        let net: Linear<Const<2>, Const<1>, f64> = module!("net2", |init| Linear::new(init, Const, Const));
        let mean = net.forward(x);
        let shift = offset.expand(mean.shape());
        sample!("y", Normal::new(mean + shift, NOISE).to_event::<Axis<1>>(), obs = y);
    }
    let (x, y) = data();
    let lifted = || two.lift(Lift::new().normal("net2.*", 0.1));
    let guide = AutoNormal::new(lifted(), (&x, &y)).unwrap();
    let mut svi = Svi::new(lifted(), guide, Adam::new(0.05), TraceElbo::with_particles(1)).seed(3);
    svi.run(RunOptions::steps(50), (&x, &y)).unwrap();
    let names: Vec<&str> = svi.params().names().collect();
    let learned = svi.params().get::<Tensor<()>>("net").map(|offset| offset.item());
    assert!(learned.is_some_and(|offset| offset > 0.1), "{learned:?} among {names:?}");
}
