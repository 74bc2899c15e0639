//! Variational inference of a model in other coordinates: a guide of what is latent there.

use ppl::infer::{Adam, Svi, TraceElbo};
use ppl::prelude64::*;

type Scalar = Tensor<()>;

/// theta ~ N(2, 3), seen with standard deviation 1 as 4.
#[model]
fn seen() {
    let theta: Scalar = sample!("theta", Normal::new(2.0, 3.0));
    sample!("x", Normal::new(theta, 1.0), obs = Scalar::scalar(4.0));
}

/// The posterior of (theta − 2) / 3: precision 1 + 9, mean 3 · (4 − 2) / 10.
#[model]
fn posterior() {
    let _: Scalar = sample!("theta_decentered", Normal::new(0.6, 0.1_f64.sqrt()));
}

// The names of sites that a strategy makes are known when it runs, so that the guide is not checked before.
impl Guide<seen> for posterior {}

#[test]
fn at_the_posterior_the_loss_is_the_evidence() {
    let moved = seen.reparam(Reparam::new().site("theta", LocScale::new(0.0)));
    let mut svi = Svi::new(moved, posterior, Adam::new(0.1), TraceElbo::with_particles(1));
    // x ~ N(2, √10), whatever is drawn.
    let evidence = -0.5 * (4.0 / 10.0 + (std::f64::consts::TAU * 10.0).ln());
    for _ in 0..3 {
        assert!((svi.evaluate(()).unwrap() + evidence).abs() < 1e-12);
    }
}

#[test]
fn a_guide_of_the_old_coordinate_is_told_so() {
    #[guide(seen)]
    fn old() {
        sample!("theta", Normal::new(3.0, 1.0));
    }
    let moved = seen.reparam(Reparam::new().site("theta", LocScale::new(0.0)));
    let error = Svi::new(moved, old, Adam::new(0.1), TraceElbo::with_particles(1)).evaluate(()).unwrap_err();
    assert!(error.to_string().contains("`theta_decentered`"), "{error}");
}
