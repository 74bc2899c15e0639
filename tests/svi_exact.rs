//! Variational inference against closed forms: estimates of values and gradients, and posteriors.

use ppl::infer::{Adam, RunOptions, Sgd, Svi, TraceElbo};
use ppl::prelude64::*;

type Scalar = Tensor<()>;

/// z ~ N(0, 1), x ~ N(z, 1).
#[model]
fn chain(x: &Scalar) {
    let z: Scalar = sample!("z", Normal::new(0.0, 1.0));
    sample!("x", Normal::new(z, 1.0), obs = x);
}

#[guide(chain)]
fn chain_guide(_x: &Scalar) {
    let loc: Scalar = param!("loc", Scalar::scalar(0.5));
    let scale: Scalar = param!("scale", Scalar::scalar(0.8), constraint = Positive);
    sample!("z", Normal::new(loc, scale));
}

/// −ELBO of N(m, s) against z ~ N(0, 1), x ~ N(z, 1).
fn negative_elbo(x: f64, m: f64, s: f64) -> f64 {
    let ln_two_pi = (2.0 * std::f64::consts::PI).ln();
    0.5 * (m * m + s * s) + 0.5 * ((x - m).powi(2) + s * s) + ln_two_pi - 0.5 * (ln_two_pi + 1.0) - s.ln()
}

#[test]
fn the_elbo_of_a_normal_guide_is_the_closed_form() {
    let mut svi = Svi::new(chain, chain_guide, Sgd::new(0.1), TraceElbo::with_particles(20_000)).seed(1);
    let x = Scalar::scalar(2.0);
    let loss = svi.evaluate(&x).unwrap();
    // The terms have a standard deviation of about 1.6, the mean one of 0.011: 5 of them, a false
    // alarm once in 1.7 million seeds.
    assert!((loss - negative_elbo(2.0, 0.5, 0.8)).abs() < 0.057, "{loss}");
}

#[test]
fn svi_reaches_the_exact_posterior_of_normal_normal() {
    let x = Scalar::scalar(2.0);
    let mut svi = Svi::new(chain, chain_guide, Adam::new(0.01), TraceElbo::with_particles(10)).seed(3);
    svi.run(RunOptions::steps(3_000), &x).unwrap();
    let loc = svi.params().constrained("loc").unwrap().item();
    let scale = svi.params().constrained("scale").unwrap().item();
    assert!((loc - 1.0).abs() < 0.03 && (scale - 0.5_f64.sqrt()).abs() < 0.03, "{loc} {scale}");
}
