//! The uniform distribution on an interval.

use std::sync::Arc;

use rand::Rng as _;
use rand::distributions::Open01;

use crate::backend::Backend;
use crate::constraint::{Bounds, Constraint, Real, Support};
use crate::dtype::Dtype;
use crate::tensor::Flat;

use super::univariate::{Curve, Moment, Sampler, Univariate, univariate};

univariate! {
    /// The uniform distribution between `low` and `high`, both included.
    ///
    /// Density: 1 / (high − low) for low ≤ x ≤ high.
    ///
    /// Shapes: `low` and `high` have the batch's shape, or one number for all of it.
    ///
    /// ```
    /// use ppl_core::{Tensor, distribution::Distribution, distributions::Uniform};
    /// let place = Uniform::new(0.0, Tensor::<_, f64>::from([1.0, 4.0]));
    /// assert_eq!(place.mean().unwrap().to_vec(), [0.5, 2.0]);
    /// assert_eq!(place.log_prob(&Tensor::from([2.0, 4.0])).to_vec(), [f64::NEG_INFINITY, -4.0_f64.ln()]);
    /// ```
    ///
    /// Reference: Johnson, Kotz, Balakrishnan, *Continuous Univariate Distributions* II, ch. 26.
    Uniform, 2, 3;
    /// The lower bound.
    low,
    /// The upper bound.
    high,
}

/// The family.
#[derive(Clone, Copy)]
pub(super) struct Law;

impl Univariate<2> for Law {
    fn domains<E: Dtype, D: Backend<E>>() -> [&'static dyn Constraint<E, D>; 2] {
        [&Real, &Real]
    }

    fn conflict([low, high]: [f64; 2]) -> Option<(usize, String)> {
        (low >= high).then(|| (1, format!("greater than low = {low}")))
    }

    fn support<E: Dtype, D: Backend<E>>(parameters: impl FnOnce() -> [Flat<E, D>; 2]) -> Support<E, D> {
        let [low, high] = parameters();
        Arc::new(Bounds::new(low, high))
    }

    #[inline(always)]
    fn log_kernel(x: f64, [low, high]: [f64; 2]) -> f64 {
        // A NaN stays one.
        if x < low || x > high { f64::NEG_INFINITY } else { x * 0.0 }
    }

    #[inline(always)]
    fn log_kernel_slopes(_: f64, _: [f64; 2]) -> (f64, [f64; 2]) {
        (0.0, [0.0; 2])
    }

    #[inline(always)]
    fn log_normalizer([low, high]: [f64; 2]) -> f64 {
        (high - low).ln()
    }

    #[inline(always)]
    fn log_normalizer_slopes([low, high]: [f64; 2]) -> [f64; 2] {
        let d = (high - low).recip();
        [-d, d]
    }

    const SAMPLER: Sampler<2> = Sampler::Direct(|parameters, rng| quantile(rng.sample(Open01), parameters));
    const PATHWISE: Option<fn(f64, [f64; 2]) -> [f64; 2]> =
        Some(|x, [low, high]| [(high - x) / (high - low), (x - low) / (high - low)]);
    const CDF: Option<Curve<2>> = Some(|x, [low, high]| ((x - low) / (high - low)).clamp(0.0, 1.0));
    const SURVIVAL: Option<Curve<2>> = Some(|x, [low, high]| ((high - x) / (high - low)).clamp(0.0, 1.0));
    const ICDF: Option<Curve<2>> = Some(quantile);
    const MEAN: Option<Moment<2>> = Some(|[low, high]| 0.5 * (low + high));
    const VARIANCE: Option<Moment<2>> = Some(|[low, high]| (high - low).square() / 12.0);
    const ENTROPY: Option<Moment<2>> = Some(|[low, high]| (high - low).ln());
}

/// The value whose cdf is `q`; rounding does not leave the interval.
fn quantile(q: f64, [low, high]: [f64; 2]) -> f64 {
    if (0.0..=1.0).contains(&q) { ((1.0 - q) * low + q * high).max(low).min(high) } else { f64::NAN }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::Distribution;
    use crate::{Cpu, Tensor};

    #[test]
    fn the_bounds_belong_to_the_support() {
        let one = Uniform::<(), f64, Cpu>::new(-1.0, 1.0);
        for (x, inside) in [(-1.0, true), (1.0, true), (-1.1, false), (1.1, false)] {
            assert_eq!(one.log_prob(&Tensor::scalar(x)).item().is_finite(), inside);
            assert_eq!(one.support().violation(&[x], &[]).is_none(), inside);
        }
    }

    #[test]
    fn bounds_in_the_wrong_order_are_named() {
        let error = Uniform::<_, f64, Cpu>::new(0.5, Tensor::from([1.0, 0.25])).check_parameters().unwrap_err();
        assert_eq!((error.parameter, error.value, error.element), ("high", 0.25, vec![1]));
        assert_eq!(error.constraint, "greater than low = 0.5");
    }
}
