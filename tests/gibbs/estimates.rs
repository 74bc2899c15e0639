//! Estimates from chains against known values, by their own standard errors.

use ppl::infer::Draws;
use ppl::infer::diagnostics::{Chains, ess_mean, mcse_mean};

/// The mean of a function of a draw is the expected one within five standard errors: a false alarm has probability 6e-7, and
/// below 1e-5 for the error of the standard error itself, which comes from at least 200 effective draws.
#[track_caller]
pub(crate) fn close(draws: &Draws, what: &str, expected: f64, of: impl Fn(&[f64]) -> f64) {
    let chains: Vec<Vec<f64>> = draws.chains().iter().map(|chain| chain.rows().map(&of).collect()).collect();
    let chains: Vec<&[f64]> = chains.iter().map(Vec::as_slice).collect();
    let chains = Chains::new(&chains).unwrap();
    let (mean, error, ess) = (ppl::infer::diagnostics::mean(&chains), mcse_mean(&chains), ess_mean(&chains));
    println!("{what}: {mean:.5} ± {error:.5}, expected {expected:.5}, {ess:.0} effective draws");
    assert!(ess > 200.0, "{what}: {ess} effective draws");
    assert!((mean - expected).abs() < 5.0 * error, "{what}: {mean} ± {error}, expected {expected}");
}

/// The sum of a function over the middles of equal steps.
pub(crate) fn integral(low: f64, high: f64, points: usize, of: impl Fn(f64) -> f64) -> f64 {
    let step = (high - low) / points as f64;
    (0..points).map(|i| of(low + (i as f64 + 0.5) * step)).sum::<f64>() * step
}

/// The density of a normal variable.
pub(crate) fn normal(x: f64, loc: f64, scale: f64) -> f64 {
    (-0.5 * ((x - loc) / scale).powi(2)).exp() / (scale * std::f64::consts::TAU.sqrt())
}
