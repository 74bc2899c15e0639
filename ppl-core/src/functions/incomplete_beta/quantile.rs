//! The inverse in x of the incomplete beta function: quantiles of the beta distribution.
//!
//! Newton's method on the logarithm of the smaller probability as a function of logit x. Both
//! logarithms are concave there, since the density of logit x is log-concave, so that after its first
//! step the method approaches the quantile from one side and cannot leave it.

use super::{Point, beta_inc_both};
use crate::functions::error_function::normal_quantile;
use crate::functions::gamma_function::{digamma, ln_beta, trigamma};

/// Steps after which the search ends; ten are usual.
const MOST_STEPS: u32 = 100;

/// Below this logarithm a tail is its first term to the last digit.
const FAR: f64 = -600.0;

/// The x with I(x; a, b) = `p`: 0 at 0, 1 at 1, NaN outside.
pub(crate) fn beta_quantile(a: f64, b: f64, p: f64) -> f64 {
    // 1 − p is exact where it is the smaller.
    beta_quantile_both(a, b, [p, 1.0 - p])[0]
}

/// The pair x and y = 1 − x with I(x; a, b) = `p` = 1 − `q`, each with its own digits.
pub(crate) fn beta_quantile_both(a: f64, b: f64, [p, q]: [f64; 2]) -> [f64; 2] {
    let positive = |v: f64| v > 0.0 && v < f64::INFINITY;
    if !(positive(a) && positive(b) && p >= 0.0 && q >= 0.0) {
        return [f64::NAN; 2];
    }
    if p == 0.0 || q == 0.0 {
        return if p == 0.0 { [0.0, 1.0] } else { [1.0, 0.0] };
    }
    let lower = p <= q;
    let (ln_p, ln_q) = if lower { (p.ln(), (-p).ln_1p()) } else { ((-q).ln_1p(), q.ln()) };
    // The tails' first terms.
    let ln_beta = ln_beta(a, b);
    let (ln_x, ln_y) = ((ln_p + a.ln() + ln_beta) / a, (ln_q + b.ln() + ln_beta) / b);
    if ln_x < FAR || ln_y < FAR {
        return if ln_x < ln_y { [ln_x.exp(), 1.0] } else { [1.0, ln_y.exp()] };
    }
    let target = if lower { p } else { q };
    search(a, b, lower, target)
}

fn search(a: f64, b: f64, lower: bool, target: f64) -> [f64; 2] {
    let bulk = digamma(a) - digamma(b);
    let width = (trigamma(a) + trigamma(b)).sqrt();
    let z = normal_quantile(target) * width;
    let mut odds = (if lower { bulk + z } else { bulk - z }).clamp(FAR, -FAR).exp();
    // Where the probability was too small for a number.
    let mut beyond = if lower { 0.0 } else { f64::INFINITY };
    let pair = |odds: f64| [odds / (1.0 + odds), 1.0 / (1.0 + odds)];
    for _ in 0..MOST_STEPS {
        let [x, y] = pair(odds);
        let [p, q] = beta_inc_both(a, b, [x, y]);
        let found = if lower { p } else { q };
        if found == 0.0 {
            beyond = odds;
            odds = odds.sqrt() * (0.5 * bulk.clamp(FAR, -FAR)).exp();
            continue;
        }
        // d ln I / d logit x = kernel / I.
        let difference = (found - target) / target;
        let log_ratio = if difference.abs() < 0.5 { difference.ln_1p() } else { found.ln() - target.ln() };
        let step = log_ratio * (found / Point { a, b, x, y }.kernel());
        let step = if lower { -step } else { step };
        let next = odds * step.clamp(-100.0, 100.0).exp();
        let outside = if lower { next <= beyond } else { next >= beyond };
        odds = if outside { odds.sqrt() * beyond.sqrt() } else { next };
        // What is left is the square of the step, measured by the width of the bulk.
        if step.abs() < 1e-9 * width.min(1.0) {
            break;
        }
    }
    pair(odds)
}
