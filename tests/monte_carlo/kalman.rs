//! A linear-Gaussian state space: its models and guides, and its Kalman filter.

use ppl::prelude64::*;

use crate::closed_forms::{Scalar, normal};

/// x₀ ~ N(0, 1); x_t ~ N(A x_{t−1}, Q²); y_t ~ N(x_t, R²).
pub(crate) const A: f64 = 0.9;
pub(crate) const Q: f64 = 0.5;
pub(crate) const R: f64 = 0.7;

pub(crate) const DATA: [f64; 10] = [0.3, 1.1, 0.6, -0.4, -1.3, -0.9, -1.6, -0.2, 0.5, 1.4];

#[model]
pub(crate) fn init(y: f64) -> Scalar {
    let x: Scalar = sample!("x", Normal::new(0.0, 1.0));
    sample!("y", Normal::new(&x, R), obs = Scalar::scalar(y));
    x
}

#[model]
pub(crate) fn step(before: &Scalar, _time: usize, y: f64) -> Scalar {
    let x: Scalar = sample!("x", Normal::new(before * A, Q));
    sample!("y", Normal::new(&x, R), obs = Scalar::scalar(y));
    x
}

/// The posterior of the state given the state before it and the datum.
#[guide(init)]
pub(crate) fn best_init(y: f64) {
    let variance = (1.0 + R.powi(-2)).recip();
    sample!("x", Normal::new(variance * y * R.powi(-2), variance.sqrt()));
}

#[guide(step)]
pub(crate) fn best_step(before: &Scalar, _time: usize, y: f64) {
    let variance = (Q.powi(-2) + R.powi(-2)).recip();
    let loc = (before * (A * Q.powi(-2)) + y * R.powi(-2)) * variance;
    sample!("x", Normal::new(loc, variance.sqrt()));
}

/// What the filter knows.
pub(crate) struct Kalman {
    pub(crate) log_evidence: f64,
    /// Mean and variance of each state given the data up to its time.
    pub(crate) filtered: Vec<[f64; 2]>,
    /// Mean and variance of each state given all data.
    pub(crate) smoothed: Vec<[f64; 2]>,
}

pub(crate) fn kalman(data: &[f64]) -> Kalman {
    kalman_that_keeps(A, data)
}

/// The same with another share of a state that is kept.
pub(crate) fn kalman_that_keeps(a: f64, data: &[f64]) -> Kalman {
    let (mut log_evidence, mut filtered, mut predicted) = (0.0, Vec::new(), Vec::new());
    let [mut mean, mut variance] = [0.0, 1.0_f64];
    for (time, &y) in data.iter().enumerate() {
        if time > 0 {
            [mean, variance] = [a * mean, a * a * variance + Q * Q];
        }
        predicted.push([mean, variance]);
        log_evidence += normal(y, mean, (variance + R * R).sqrt());
        let gain = variance / (variance + R * R);
        [mean, variance] = [mean + gain * (y - mean), (1.0 - gain) * variance];
        filtered.push([mean, variance]);
    }
    let mut smoothed = filtered.clone();
    for time in (0..data.len() - 1).rev() {
        let gain = filtered[time][1] * a / predicted[time + 1][1];
        smoothed[time][0] += gain * (smoothed[time + 1][0] - predicted[time + 1][0]);
        smoothed[time][1] += gain * gain * (smoothed[time + 1][1] - predicted[time + 1][1]);
    }
    Kalman { log_evidence, filtered, smoothed }
}
