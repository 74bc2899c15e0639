//! The inverses in x of the incomplete gamma functions: quantiles of the gamma distribution.
//!
//! Newton's method on the logarithm of the smaller probability as a function of ln x. Both logarithms
//! are concave there, since the density of ln x is log-concave, so that after its first step the
//! method approaches the quantile from one side and cannot leave it.

use super::{gamma_inc_both, gamma_kernel};
use crate::functions::error_function::normal_quantile;
use crate::functions::gamma_function::{ln_gamma, ln_gamma_1p};

/// Steps after which the search ends; ten are usual.
const MOST_STEPS: u32 = 100;

/// The value x with P(a, x) = `p`: 0 at 0, ∞ at 1, NaN outside.
pub(crate) fn gamma_quantile(a: f64, p: f64) -> f64 {
    // 1 − p is exact where it is the smaller.
    quantile(a, [p, 1.0 - p])
}

/// The value x with Q(a, x) = `q`: ∞ at 0, 0 at 1, NaN outside.
pub(crate) fn gamma_quantile_upper(a: f64, q: f64) -> f64 {
    quantile(a, [1.0 - q, q])
}

fn quantile(a: f64, [p, q]: [f64; 2]) -> f64 {
    if !(a > 0.0 && p >= 0.0 && q >= 0.0) || a.is_infinite() {
        return f64::NAN;
    }
    if p == 0.0 || q == 0.0 {
        return if p == 0.0 { 0.0 } else { f64::INFINITY };
    }
    let lower = p <= q;
    // The first term of the series, below the quantile and all of it for small ones.
    let ln_gamma_next = if a <= 1.0 { ln_gamma_1p(a) } else { ln_gamma(a + 1.0) };
    let ln_p = if lower { p.ln() } else { (-q).ln_1p() };
    let first_term = ((ln_p + ln_gamma_next) / a).exp();
    if first_term < 1e-17 {
        return first_term;
    }
    let mut x = start(a, [p, q], first_term);
    // Where the probability was too small for a number.
    let mut beyond = if lower { 0.0 } else { f64::INFINITY };
    for _ in 0..MOST_STEPS {
        let both = gamma_inc_both(a, x);
        let (target, found) = if lower { (p, both[0]) } else { (q, both[1]) };
        if found == 0.0 {
            // Half the way to the bulk.
            beyond = x;
            x = (x * a).sqrt();
            continue;
        }
        // d ln P / d ln x = a · kernel / P.
        let step = log_ratio(found, target) * found / (a * gamma_kernel(a, x));
        let step = if lower { -step } else { step };
        let next = x * step.clamp(-20.0, 20.0).exp();
        let next = if (lower && next <= beyond) || (!lower && next >= beyond) { (x * beyond).sqrt() } else { next };
        // What is left is the square of the step, measured by the width of the bulk, 1 / √a.
        if step.abs() < 1e-9 / a.max(1.0).sqrt() {
            return next;
        }
        x = next;
    }
    x
}

/// ln (found / target), exact where they are close.
fn log_ratio(found: f64, target: f64) -> f64 {
    let difference = (found - target) / target;
    if difference.abs() < 0.5 { difference.ln_1p() } else { found.ln() - target.ln() }
}

/// A first guess: Wilson and Hilferty's where it is sound, else from the tail.
fn start(a: f64, [p, q]: [f64; 2], first_term: f64) -> f64 {
    if a < 1.0 {
        let tail = -q.ln() - ln_gamma(a);
        return if tail > 1.0 { tail } else { first_term.min(1.0) };
    }
    let z = if p <= q { normal_quantile(p) } else { -normal_quantile(q) };
    let root = 1.0 - 1.0 / (9.0 * a) + z / (3.0 * a.sqrt());
    if root > 0.3 { a * root * root * root } else { first_term }
}
