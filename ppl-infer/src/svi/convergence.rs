//! When a loss counts as settled, although each value of it is noisy.

use crate::diagnostics::{Chains, mcse_mean};

/// The loss counts as settled when its mean over one window of steps is not below that over the
/// window before by more than a share of it.
///
/// With a `confidence` of z standard errors the rule knows the noise: it stops only if the fall from window to window is
/// less than the share by z standard errors, goes on if it is more by z, and in between, where the noise is too large
/// to tell, goes on with windows twice as long. The standard errors are those of means of autocorrelated numbers, of what
/// a straight line through the window leaves. If the loss still falls by just that share, a decision stops too early with the
/// probability of a standard normal number above z: 2.3 % for 2.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Convergence {
    /// Steps in a window; with a confidence the first one, of at least 16.
    pub window: usize,
    /// The share of the mean (in magnitude) by which the loss must still fall.
    pub tolerance: f64,
    /// How many standard errors make the difference between signal and noise; 0 ignores the noise.
    pub confidence: f64,
}

impl Convergence {
    /// With a confidence of two standard errors.
    pub fn new(window: usize, tolerance: f64) -> Self {
        Convergence { window, tolerance, confidence: 2.0 }
    }
}

/// The shortest window of which the noise is estimated.
const SHORTEST: usize = 16;

/// What a run has seen of its losses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watch {
    rule: Convergence,
    window: usize,
    /// The number of losses at the next look.
    next: usize,
}

impl Watch {
    pub(super) fn new(rule: Convergence) -> Self {
        let window = if rule.confidence > 0.0 { rule.window.max(SHORTEST) } else { rule.window.max(1) };
        Watch { rule, window, next: 2 * window }
    }

    /// Whether the losses so far have settled; looked at once a window.
    pub(super) fn settled(&mut self, losses: &[f64]) -> bool {
        let n = self.window;
        if losses.len() < self.next {
            return false;
        }
        let (before, last) = losses[losses.len() - 2 * n..].split_at(n);
        let (mean, fall) = (average(before), average(before) - average(last));
        let least = self.rule.tolerance * mean.abs();
        let noise = match self.rule.confidence {
            z if z > 0.0 => z * error(before).hypot(error(last)),
            _ => 0.0,
        };
        if fall + noise <= least {
            return true;
        }
        if fall - noise > least {
            self.next += n;
        } else {
            // The windows that come are as long as both together.
            self.window *= 2;
            self.next = losses.len() + 2 * n;
        }
        false
    }
}

fn average(window: &[f64]) -> f64 {
    window.iter().sum::<f64>() / window.len() as f64
}

/// The standard error of a window's mean, of what a straight line leaves.
fn error(window: &[f64]) -> f64 {
    let (n, mean) = (window.len() as f64, average(window));
    let centre = 0.5 * (n - 1.0);
    let places = || (0..window.len()).map(|i| i as f64 - centre);
    let slope = places().zip(window).map(|(x, y)| x * y).sum::<f64>() / places().map(|x| x * x).sum::<f64>();
    let left: Vec<f64> = places().zip(window).map(|(x, y)| y - mean - slope * x).collect();
    let error = Chains::new(&[&left]).map_or(f64::NAN, |chains| mcse_mean(&chains));
    // Numbers that are all alike have no noise.
    if error.is_finite() { error } else { 0.0 }
}
