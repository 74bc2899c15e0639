//! Losses and gradients that must be equal draw by draw: particles, auxiliary sites, factors.

use ppl::infer::TraceElbo;
use ppl::params::ParamStore;
use ppl::prelude64::*;

use crate::chain::{Scalar, chain, chain_guide};
use crate::gradients::loss_and_gradient;

#[track_caller]
fn assert_close(left: &[f64], right: &[f64]) {
    assert_eq!(left.len(), right.len());
    assert!(left.iter().zip(right).all(|(a, b)| (a - b).abs() < 1e-12), "{left:?} {right:?}");
}

#[test]
fn several_particles_are_averaged() {
    let x = Scalar::scalar(2.0);
    let run = |particles, first: u64| {
        let mut objective = TraceElbo::with_particles(particles);
        loss_and_gradient((&chain, &chain_guide), (&x,), &mut objective, &mut ParamStore::new(0), |p| first + p)
    };
    let single: Vec<Vec<f64>> = (0..4).map(|p| run(1, p)).collect();
    let mean: Vec<f64> = (0..3).map(|i| single.iter().map(|row| row[i]).sum::<f64>() / 4.0).collect();
    assert_ne!(single[0], single[1]);
    assert_close(&run(4, 0), &mean);
}

#[test]
#[should_panic(expected = "TraceElbo needs at least one particle")]
fn no_particles_are_refused() {
    let _ = TraceElbo::with_particles(0);
}

/// z ~ N(2 loc + 1, 2 scale).
#[guide(chain)]
fn stretched(_x: &Scalar) {
    let loc: Scalar = param!("loc", Scalar::scalar(0.5));
    let scale: Scalar = param!("scale", Scalar::scalar(0.8), constraint = Positive);
    sample!("z", Normal::new(loc * 2.0 + 1.0, scale * 2.0));
}

/// The same by an auxiliary variable and a point mass with the density of the stretched one.
#[guide(chain)]
fn stretched_by_hand(_x: &Scalar) {
    let loc: Scalar = param!("loc", Scalar::scalar(0.5));
    let scale: Scalar = param!("scale", Scalar::scalar(0.8), constraint = Positive);
    let u: Scalar = sample!("u", Normal::new(loc, scale), auxiliary);
    sample!("z", Delta::new(u * 2.0 + 1.0, Scalar::scalar(-(2.0_f64.ln()))));
}

#[test]
fn an_auxiliary_site_counts_in_the_guides_density() {
    let x = Scalar::scalar(2.0);
    for stream in 0..5 {
        let (mut objective, mut store) = (TraceElbo::default(), ParamStore::new(0));
        let plain = loss_and_gradient((&chain, &stretched), (&x,), &mut objective, &mut store, |_| stream);
        let (mut objective, mut store) = (TraceElbo::default(), ParamStore::new(0));
        let by_hand = loss_and_gradient((&chain, &stretched_by_hand), (&x,), &mut objective, &mut store, |_| stream);
        assert_close(&plain, &by_hand);
    }
}

/// [`chain`] with its observation as a factor.
#[model]
fn weighed(x: &Scalar) {
    let z: Scalar = sample!("z", Normal::new(0.0, 1.0));
    factor!("x", Normal::new(z, 1.0).log_prob(x));
}

#[guide(weighed)]
fn weighed_guide(_x: &Scalar) {
    let loc: Scalar = param!("loc", Scalar::scalar(0.5));
    let scale: Scalar = param!("scale", Scalar::scalar(0.8), constraint = Positive);
    sample!("z", Normal::new(loc, scale));
}

#[test]
fn a_factor_is_a_term_of_the_models_density() {
    let x = Scalar::scalar(2.0);
    for stream in 0..5 {
        let (mut objective, mut store) = (TraceElbo::default(), ParamStore::new(0));
        let observed = loss_and_gradient((&chain, &chain_guide), (&x,), &mut objective, &mut store, |_| stream);
        let (mut objective, mut store) = (TraceElbo::default(), ParamStore::new(0));
        let factor = loss_and_gradient((&weighed, &weighed_guide), (&x,), &mut objective, &mut store, |_| stream);
        assert_close(&observed, &factor);
    }
}
