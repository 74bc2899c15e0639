//! Logarithms of the probabilities of values at most and above a point, and their slopes, where the
//! probabilities themselves may be too small for numbers.

use crate::functions::logarithms::log_of_pair;

use super::Univariate;
use super::functions::{Curved, cdf, log_density, sound, survival};

impl<const K: usize> Curved<K> {
    /// The logarithm of the family's cdf.
    pub(super) fn log_cdf<F: Univariate<K>>() -> Option<Self> {
        Some(Curved::cdf::<F>()?.with(log_cdf::<F, K>, log_cdf_slopes::<F, K>))
    }

    /// The logarithm of the probability of a larger value.
    pub(super) fn log_survival<F: Univariate<K>>() -> Option<Self> {
        Some(Curved::cdf::<F>()?.with(log_survival::<F, K>, log_survival_slopes::<F, K>))
    }
}

/// ln P(X ≤ x).
fn log_cdf<F: Univariate<K>, const K: usize>(x: f64, parameters: [f64; K]) -> f64 {
    match F::LOG_CDF {
        Some(log_cdf) => log_cdf(x, parameters),
        None => log_of_pair([cdf::<F, K>(x, parameters), survival::<F, K>(x, parameters)])[0],
    }
}

/// ln P(X > x).
fn log_survival<F: Univariate<K>, const K: usize>(x: f64, parameters: [f64; K]) -> f64 {
    match F::LOG_SURVIVAL {
        Some(log_survival) => log_survival(x, parameters),
        None => log_of_pair([cdf::<F, K>(x, parameters), survival::<F, K>(x, parameters)])[1],
    }
}

/// The slopes of ln P(X ≤ x): the density over the probability, and −dx/dθ times that.
fn log_cdf_slopes<F: Univariate<K>, const K: usize>(x: f64, parameters: [f64; K]) -> (f64, [f64; K]) {
    cdf_slopes_over::<F, K>(x, parameters, log_cdf::<F, K>(x, parameters), |[reversed, _]| reversed)
}

/// The slopes of ln P(X > x).
fn log_survival_slopes<F: Univariate<K>, const K: usize>(x: f64, parameters: [f64; K]) -> (f64, [f64; K]) {
    let log = log_survival::<F, K>(x, parameters);
    let (along_x, along) = cdf_slopes_over::<F, K>(x, parameters, log, |[_, hazard]| hazard);
    (-along_x, along.map(|d| -d))
}

/// The slopes of the cdf over a probability given by its logarithm, 0 where there is none.
fn cdf_slopes_over<F: Univariate<K>, const K: usize>(
    x: f64,
    parameters: [f64; K],
    log: f64,
    pick: fn([f64; 2]) -> f64,
) -> (f64, [f64; K]) {
    if log == f64::NEG_INFINITY {
        return (0.0, [0.0; K]);
    }
    if let Some(slopes) = F::CDF_SLOPES {
        return slopes(x, parameters, log);
    }
    let log_density = log_density::<F, K>(x, parameters);
    let ratio = match F::HAZARDS {
        _ if log_density == f64::NEG_INFINITY => 0.0,
        Some(hazards) => pick(hazards(x, parameters)),
        None => (log_density - log).exp(),
    };
    let pathwise = F::PATHWISE.expect("checked where the family is declared");
    if ratio == 0.0 {
        return (0.0, [0.0; K]);
    }
    (ratio, pathwise(x, parameters).map(|d| sound(-ratio * d)))
}
