//! The shared front of distributions over numbers: a family says what one element does, in `f64`,
//! and everything else (fusing, threads, gradients, shapes, checks) is done once, here.

use dfdx::shapes::Shape;

use crate::backend::Backend;
use crate::constraint::{Constraint, Support};
use crate::distribution::TakeBase;
use crate::dtype::Dtype;
use crate::rng::Rng;
use crate::tensor::{Flat, Operand};

// Numbers with their derivatives, for moments and divergences.
pub(super) mod dual;
// Families as element functions.
mod functions;
// Logarithms of probabilities, and their slopes.
mod log_tails;
// Many draws, from one generator, on all threads.
pub(super) mod draws;
// The distribution itself.
mod front;
// The distribution as an image of another one.
mod base;
// The macro that declares a family's public type.
mod declare;
// Families given by probabilities or by log-odds.
mod two_forms;

pub(super) use declare::{forward_to_front, univariate};
pub(super) use dual::Dual;
pub(super) use front::Front;
pub(super) use functions::Momentary;
pub(super) use two_forms::TwoForms;

/// How a family draws.
pub(super) enum Sampler<const K: usize> {
    /// One draw with these parameters. Must end, with NaN if need be, whatever the parameters are.
    Direct(fn([f64; K], &mut Rng) -> f64),
    /// loc + scale · noise, for a family whose parameters are loc and scale.
    LocScale(fn(&mut Rng) -> f64),
    /// A formula of noise (a constant) and the parameters, whose derivatives are those of the draw.
    Noise(fn(&mut Rng) -> f64, fn(f64, [Dual<K>; K]) -> Dual<K>),
}

/// A draw of a positive number: the smallest or largest of the dtype where it is beyond them.
pub(super) fn positive<E: Dtype>(x: E) -> E {
    if x <= E::of(0.0) {
        E::min_positive_value()
    } else if x.is_infinite() {
        E::max_value()
    } else {
        x
    }
}

/// A draw between 0 and 1: the smallest positive number or the largest below 1 where it rounds to an
/// end.
pub(super) fn between_zero_and_one<E: Dtype>(x: E) -> E {
    let x = positive(x);
    if x >= E::of(1.0) { E::of(1.0) - E::epsilon() * E::of(0.5) } else { x }
}

/// A function of a point and of the parameters.
pub(super) type Curve<const K: usize> = fn(f64, [f64; K]) -> f64;

/// The derivatives of a curve along its point and along the parameters.
pub(super) type Slopes<const K: usize> = fn(f64, [f64; K]) -> (f64, [f64; K]);

/// The derivatives of a curve, as [`Slopes`], over the exponential of the last argument.
pub(super) type ScaledSlopes<const K: usize> = fn(f64, [f64; K], f64) -> (f64, [f64; K]);

/// A function of the parameters, with its derivatives.
pub(super) type Moment<const K: usize> = fn([Dual<K>; K]) -> Dual<K>;

/// The names of a family and of its parameters; `univariate!` says them.
pub(super) trait Named<const K: usize>: Copy + Send + Sync + 'static {
    /// The name in errors.
    const NAME: &'static str;
    /// The parameters' names, in order.
    const PARAMETERS: [&'static str; K];
}

/// One family of distributions over numbers, with `K` parameters.
///
/// All of it is in `f64` and about one element. The log-density is `log_kernel − log_normalizer`:
/// the second depends on the parameters alone and is computed once where they are single numbers.
pub(super) trait Univariate<const K: usize>: Named<K> {
    /// The set that each parameter lives in.
    fn domains<E: Dtype, D: Backend<E>>() -> [&'static dyn Constraint<E, D>; K];

    /// What is wrong between parameters that are each in their domain: which one, and what it must
    /// be.
    fn conflict(_parameters: [f64; K]) -> Option<(usize, String)> {
        None
    }

    /// Where the values live; few families ask for the parameters.
    fn support<E: Dtype, D: Backend<E>>(parameters: impl FnOnce() -> [Flat<E, D>; K]) -> Support<E, D>;

    /// The part of the log-density that depends on the value; −∞ outside the support.
    fn log_kernel(x: f64, parameters: [f64; K]) -> f64;

    /// Its derivatives along the value and the parameters; asked for inside the support only.
    fn log_kernel_slopes(x: f64, parameters: [f64; K]) -> (f64, [f64; K]);

    /// Whether the derivatives may be asked for anywhere, and are cheap. They are then found first and left out after, so that
    /// loops become vector code.
    const SLOPES_ANYWHERE: bool = false;

    /// What is subtracted from the kernel, by the parameters alone.
    fn log_normalizer(_parameters: [f64; K]) -> f64 {
        0.0
    }

    /// Its derivatives.
    fn log_normalizer_slopes(_parameters: [f64; K]) -> [f64; K] {
        [0.0; K]
    }

    /// A draw after rounding to its dtype, moved back to where the density is finite: off the ends of
    /// the support.
    fn rounded<E: Dtype>(x: E) -> E {
        x
    }

    /// How it draws.
    const SAMPLER: Sampler<K>;

    /// dx/dθ for each parameter at a draw x with its randomness held fixed: −(∂F/∂θ) / density.
    /// `None` if draws carry no gradient.
    const PATHWISE: Option<fn(f64, [f64; K]) -> [f64; K]> = None;

    /// The probability of a value at most x. Its slopes follow from [`Univariate::PATHWISE`], or
    /// are [`Univariate::CDF_SLOPES`].
    const CDF: Option<Curve<K>> = None;

    /// The slopes of the cdf where there is no pathwise gradient, over the exponential of the last
    /// argument; for a step function the first is 0.
    const CDF_SLOPES: Option<ScaledSlopes<K>> = None;

    /// The probability of a value above x where it is small; 1 − cdf otherwise.
    const SURVIVAL: Option<Curve<K>> = None;

    /// The logarithm of the cdf where that may be too small for a number; of CDF and SURVIVAL otherwise.
    const LOG_CDF: Option<Curve<K>> = None;

    /// The logarithm of the probability of a value above x, as [`Univariate::LOG_CDF`].
    const LOG_SURVIVAL: Option<Curve<K>> = None;

    /// The density over the probability of a value at most x, and over that of one above x (the
    /// hazard), where the differences of their logarithms lose digits; asked for inside the support.
    const HAZARDS: Option<fn(f64, [f64; K]) -> [f64; 2]> = None;

    /// The value whose cdf is q, NaN for q outside [0, 1]; for a discrete family the smallest value
    /// whose cdf reaches q.
    const ICDF: Option<Curve<K>> = None;

    /// The mean, infinite or NaN where it does not exist.
    const MEAN: Option<Moment<K>> = None;

    /// The variance, infinite or NaN where it does not exist.
    const VARIANCE: Option<Moment<K>> = None;

    /// The entropy in nats.
    const ENTROPY: Option<Moment<K>> = None;

    /// Whether its parameters `loc` and `scale` only move and stretch the values, whatever the others are.
    const LOC_SCALE: bool = false;

    /// The parameter that only stretches the values, and the power of it by which they are longer: 1 for a scale,
    /// −1 for a rate.
    const STRETCH: Option<(&'static str, f64)> = None;

    /// Hands the simpler distribution of another family, whose image under a one-to-one map this one is, to
    /// `take`.
    fn with_base<S: Shape, E: Dtype, D: Backend<E>, T: TakeBase<E, D, S>>(
        _parameters: &[Operand<S, E, D>; K],
        _shape: S,
        _take: T,
    ) -> Option<T::Output> {
        None
    }

    /// The largest value of a family over 0, 1, …, n.
    const LARGEST: Option<fn([f64; K]) -> f64> = None;
}
