//! The half-normal distribution.

use std::f64::consts::{FRAC_1_SQRT_2, LN_2, PI, SQRT_2};
use std::sync::Arc;

use rand::Rng as _;
use rand_distr::StandardNormal;

use crate::backend::Backend;
use crate::constraint::{Constraint, NonNegative, Positive, Support};
use crate::dtype::Dtype;
use crate::functions::error_function::{erf, erf_inv, inverse_mills, log_normal_cdf, normal_cdf, normal_density};
use crate::tensor::Flat;

use super::univariate::{Curve, Moment, Sampler, Univariate, univariate};

univariate! {
    /// The distribution of |y| where y is normal with mean 0 and standard deviation `scale`.
    ///
    /// Density: √2 / (scale √π) · exp(−x² / (2 scale²)) for x ≥ 0.
    ///
    /// Shapes: `scale` has the batch's shape.
    ///
    /// ```
    /// use ppl_core::{Tensor, distribution::Distribution, distributions::HalfNormal};
    /// let spread = HalfNormal::new(Tensor::<_, f64>::from([1.0, 2.0]));
    /// let mean = spread.mean().unwrap().to_vec();
    /// assert!((mean[1] - 2.0 * (2.0 / std::f64::consts::PI).sqrt()).abs() < 1e-12);
    /// ```
    ///
    /// Reference: Johnson, Kotz, Balakrishnan, *Continuous Univariate Distributions* I, ch. 13.10.
    HalfNormal, 1, 2;
    /// The standard deviation of the normal.
    scale,
}

/// ½ ln(2/π).
const HALF_LN_TWO_OVER_PI: f64 = -0.225_791_352_644_727_43;

/// The family.
#[derive(Clone, Copy)]
pub(super) struct Law;

impl Univariate<1> for Law {
    fn domains<E: Dtype, D: Backend<E>>() -> [&'static dyn Constraint<E, D>; 1] {
        [&Positive]
    }

    fn support<E: Dtype, D: Backend<E>>(_: impl FnOnce() -> [Flat<E, D>; 1]) -> Support<E, D> {
        Arc::new(NonNegative)
    }

    #[inline(always)]
    fn log_kernel(x: f64, [scale]: [f64; 1]) -> f64 {
        let z = x / scale;
        if x < 0.0 { f64::NEG_INFINITY } else { -0.5 * z * z }
    }

    #[inline(always)]
    fn log_kernel_slopes(x: f64, [scale]: [f64; 1]) -> (f64, [f64; 1]) {
        let d = x / scale / scale;
        (-d, [d * (x / scale)])
    }

    #[inline(always)]
    fn log_normalizer([scale]: [f64; 1]) -> f64 {
        scale.ln() - HALF_LN_TWO_OVER_PI
    }

    #[inline(always)]
    fn log_normalizer_slopes([scale]: [f64; 1]) -> [f64; 1] {
        [scale.recip()]
    }

    const STRETCH: Option<(&str, f64)> = Some(("scale", 1.0));
    const SAMPLER: Sampler<1> =
        Sampler::Noise(|rng| rng.sample::<f64, _>(StandardNormal).abs(), |noise, [scale]| scale * noise);
    const PATHWISE: Option<fn(f64, [f64; 1]) -> [f64; 1]> = Some(|x, [scale]| [x / scale]);
    const CDF: Option<Curve<1>> = Some(|x, [scale]| if x <= 0.0 { 0.0 } else { erf(x / scale * FRAC_1_SQRT_2) });
    const SURVIVAL: Option<Curve<1>> = Some(|x, [scale]| if x <= 0.0 { 1.0 } else { 2.0 * normal_cdf(-x / scale) });
    const LOG_SURVIVAL: Option<Curve<1>> = Some(|x, [scale]| {
        let z = x / scale;
        if x <= 0.0 {
            0.0
        } else if z < 1.0 {
            (-erf(z * FRAC_1_SQRT_2)).ln_1p()
        } else {
            LN_2 + log_normal_cdf(-z)
        }
    });
    const HAZARDS: Option<fn(f64, [f64; 1]) -> [f64; 2]> = Some(|x, [scale]| {
        let z = x / scale;
        [2.0 * normal_density(z) / erf(z * FRAC_1_SQRT_2), inverse_mills(-z)].map(|rate| rate / scale)
    });
    const ICDF: Option<Curve<1>> = Some(|q, [scale]| scale * standard_quantile(q));
    const MEAN: Option<Moment<1>> = Some(|[scale]| scale * (2.0 / PI).sqrt());
    const VARIANCE: Option<Moment<1>> = Some(|[scale]| scale.square() * (1.0 - 2.0 / PI));
    const ENTROPY: Option<Moment<1>> = Some(|[scale]| scale.ln() + (0.5 - HALF_LN_TWO_OVER_PI));
}

/// The value whose cdf is `q` where the scale is 1: NaN outside [0, 1].
fn standard_quantile(q: f64) -> f64 {
    if q < 0.0 { f64::NAN } else { SQRT_2 * erf_inv(q) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autodiff::grad;
    use crate::distribution::Distribution;
    use crate::{Cpu, Tensor};

    #[test]
    fn negative_values_are_impossible_and_have_no_slope() {
        let one = HalfNormal::<(), f64, Cpu>::new(1.0);
        let x = Tensor::scalar(-0.1).tracked();
        let (value, grads) = grad(|| one.log_prob(&x));
        assert_eq!((value.item(), grads.get(&x).unwrap().item()), (f64::NEG_INFINITY, 0.0));
        assert_eq!(one.cdf(&x).unwrap().item(), 0.0);
    }

    #[test]
    fn quantiles_outside_the_unit_interval_are_nan() {
        assert!([-0.1, 1.1].into_iter().all(|q| standard_quantile(q).is_nan()));
        assert_eq!([standard_quantile(0.0), standard_quantile(1.0)], [0.0, f64::INFINITY]);
    }
}
