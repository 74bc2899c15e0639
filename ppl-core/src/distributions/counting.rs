//! What the distributions over counts share: their masses without cancellation, their quantiles, and
//! the two forms of a probability.

// Binomial and Poisson masses by the saddle point.
pub(super) mod saddle_point;
// Sums of any number of terms.
pub(super) mod long_sum;
// Entropies.
pub(super) mod entropy;
// Means of functions of a binomial count.
pub(super) mod binomial_mean;
// Quantiles of distributions over whole numbers.
pub(super) mod quantile;
// A probability given by itself, by its log-odds, or by a rate.
pub(super) mod odds;
// The macro that declares a family in both forms.
pub(super) mod forms;
// Draws of Poisson and binomial counts.
pub(super) mod draw;
// The negative binomial law.
pub(super) mod polya;

pub(super) use forms::two_forms;
pub(super) use odds::{Logits, Odds, Probs, Rate};

use crate::dtype::Dtype;

/// What a value says before its mass is asked for.
pub(super) enum Value {
    /// A whole number from 0 to the largest.
    Count,
    /// No possible value: it has log-probability −∞.
    Impossible,
    /// No number.
    Nan,
}

/// Whether a value is a whole number from 0 to `largest`.
#[inline(always)]
pub(super) fn classify(x: f64, largest: f64) -> Value {
    if x.is_nan() || largest.is_nan() {
        Value::Nan
    } else if x >= 0.0 && x <= largest && x == x.floor() && x.is_finite() {
        Value::Count
    } else {
        Value::Impossible
    }
}

/// The log-mass `of` a count from 0 to `largest`, −∞ elsewhere.
#[inline(always)]
pub(super) fn on_counts(x: f64, largest: f64, of: impl FnOnce() -> f64) -> f64 {
    match classify(x, largest) {
        Value::Count => of(),
        Value::Impossible => f64::NEG_INFINITY,
        Value::Nan => f64::NAN,
    }
}

/// A distribution function from its values at whole numbers: 0 below 0, 1 from `largest` on.
pub(super) fn step(x: f64, largest: f64, of: impl FnOnce(f64) -> f64) -> f64 {
    stepped(x, largest, [0.0, 1.0], of)
}

/// The complement of [`step`], from its own values.
pub(super) fn step_down(x: f64, largest: f64, of: impl FnOnce(f64) -> f64) -> f64 {
    stepped(x, largest, [1.0, 0.0], of)
}

/// The logarithm of a [`step`], from its values at whole numbers.
pub(super) fn log_step(x: f64, largest: f64, of: impl FnOnce(f64) -> f64) -> f64 {
    stepped(x, largest, [f64::NEG_INFINITY, 0.0], of)
}

/// The logarithm of a [`step_down`].
pub(super) fn log_step_down(x: f64, largest: f64, of: impl FnOnce(f64) -> f64) -> f64 {
    stepped(x, largest, [0.0, f64::NEG_INFINITY], of)
}

/// A step function from its values at whole numbers: the first number below 0, the second from `largest`
/// on.
fn stepped(x: f64, largest: f64, [below, beyond]: [f64; 2], of: impl FnOnce(f64) -> f64) -> f64 {
    if x.is_nan() {
        x
    } else if x < 0.0 {
        below
    } else if x.floor() >= largest {
        beyond
    } else {
        of(x.floor())
    }
}

/// The slopes of a step along `K` parameters, 0 where it is constant.
pub(super) fn step_slopes<const K: usize>(x: f64, largest: f64, of: impl FnOnce(f64) -> [f64; K]) -> (f64, [f64; K]) {
    if x >= 0.0 && x.floor() < largest { (0.0, of(x.floor())) } else { (0.0, [0.0; K]) }
}

/// A draw, or the largest number of a dtype that it is beyond.
pub(super) fn finite<E: Dtype>(x: E) -> E {
    if x == E::infinity() { E::max_value() } else { x }
}

/// The largest count of a support, or ∞ where there are too many to enumerate.
pub(super) fn enumerable(largest: f64) -> f64 {
    const MOST: f64 = 65_536.0;
    if largest <= MOST { largest } else { f64::INFINITY }
}

/// factor · of, but 0 where the factor is 0 and the other infinite.
#[inline(always)]
pub(super) fn times(factor: f64, of: f64) -> f64 {
    if factor == 0.0 { 0.0 } else { factor * of }
}
