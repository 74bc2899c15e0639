//! The half-Cauchy distribution.

use std::f64::consts::{FRAC_2_PI, FRAC_PI_2, PI};
use std::sync::Arc;

use rand::Rng as _;
use rand::distributions::Open01;

use crate::backend::Backend;
use crate::constraint::{Constraint, NonNegative, Positive, Support};
use crate::dtype::Dtype;
use crate::tensor::Flat;

use super::cauchy::{FAR, growth, slope};
use super::univariate::{Curve, Dual, Moment, Sampler, Univariate, univariate};

univariate! {
    /// The distribution of |y| where y has a Cauchy distribution with median 0 and scale `scale`.
    ///
    /// Density: 2 / (π scale (1 + (x / scale)²)) for x ≥ 0. Mean and variance are infinite.
    ///
    /// Shapes: `scale` has the batch's shape.
    ///
    /// ```
    /// use ppl_core::{Tensor, distribution::Distribution, distributions::HalfCauchy};
    /// let prior = HalfCauchy::new(Tensor::<_, f64>::from([5.0]));
    /// assert!((prior.cdf(&Tensor::from([5.0])).unwrap().to_vec()[0] - 0.5).abs() < 1e-12);
    /// ```
    ///
    /// Reference: Gelman, *Prior distributions for variance parameters in hierarchical models*, 2006.
    HalfCauchy, 1, 2;
    /// The scale, which is the median.
    scale,
}

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
        if x < 0.0 {
            f64::NEG_INFINITY
        } else if z > FAR {
            -2.0 * (x.ln() - scale.ln())
        } else {
            -(z * z).ln_1p()
        }
    }

    #[inline(always)]
    fn log_kernel_slopes(x: f64, [scale]: [f64; 1]) -> (f64, [f64; 1]) {
        let z = x / scale;
        (-slope(z) / scale, [growth(z) / scale])
    }

    #[inline(always)]
    fn log_normalizer([scale]: [f64; 1]) -> f64 {
        scale.ln() - FRAC_2_PI.ln()
    }

    #[inline(always)]
    fn log_normalizer_slopes([scale]: [f64; 1]) -> [f64; 1] {
        [scale.recip()]
    }

    const STRETCH: Option<(&str, f64)> = Some(("scale", 1.0));
    const SAMPLER: Sampler<1> =
        Sampler::Noise(|rng| standard_quantile(rng.sample(Open01)), |noise, [scale]| scale * noise);
    const PATHWISE: Option<fn(f64, [f64; 1]) -> [f64; 1]> = Some(|x, [scale]| [x / scale]);
    const CDF: Option<Curve<1>> = Some(|x, [scale]| if x <= 0.0 { 0.0 } else { FRAC_2_PI * (x / scale).atan() });
    const SURVIVAL: Option<Curve<1>> = Some(|x, [scale]| if x <= 0.0 { 1.0 } else { FRAC_2_PI * (scale / x).atan() });
    const LOG_CDF: Option<Curve<1>> = Some(|x, [scale]| log_part(x, scale));
    const LOG_SURVIVAL: Option<Curve<1>> = Some(|x, [scale]| if x <= 0.0 { 0.0 } else { log_part(scale, x) });
    const ICDF: Option<Curve<1>> = Some(|q, [scale]| scale * standard_quantile(q));
    const MEAN: Option<Moment<1>> = Some(|_| Dual::constant(f64::INFINITY));
    const VARIANCE: Option<Moment<1>> = Some(|_| Dual::constant(f64::INFINITY));
    const ENTROPY: Option<Moment<1>> = Some(|[scale]| scale.ln() + (2.0 * PI).ln());

    // A tail beyond the largest number ends there.
    fn rounded<E: Dtype>(x: E) -> E {
        x.min(E::max_value())
    }
}

/// ln((2 / π) arctan(x / y)): the logarithm of the cdf at x for the scale y, and of its complement for
/// the two exchanged.
fn log_part(x: f64, y: f64) -> f64 {
    let ratio = x / y;
    if x <= 0.0 {
        f64::NEG_INFINITY
    } else if ratio < FAR.recip() {
        FRAC_2_PI.ln() + x.ln() - y.ln()
    } else if ratio <= 1.0 {
        (FRAC_2_PI * ratio.atan()).ln()
    } else {
        (-FRAC_2_PI * (y / x).atan()).ln_1p()
    }
}

/// The value whose cdf is `q` where the scale is 1: NaN outside [0, 1]. Near the pole at 1 from the
/// distance to it, which keeps the digits.
fn standard_quantile(q: f64) -> f64 {
    match q {
        0.0..=0.5 => (FRAC_PI_2 * q).tan(),
        0.5..=1.0 => (FRAC_PI_2 * (1.0 - q)).tan().recip(),
        _ => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::Distribution;
    use crate::{Cpu, Tensor};

    #[test]
    fn the_tail_is_heavy_and_never_overflows() {
        let one = HalfCauchy::<(), f32, Cpu>::new(1.0);
        let far = one.log_prob(&Tensor::scalar(1e30)).item();
        assert!((f64::from(far) - (FRAC_2_PI.ln() - 60.0 * 10.0_f64.ln())).abs() < 1e-4, "{far}");
        assert_eq!(one.mean().unwrap().item(), f32::INFINITY);
        let beyond = one.survival(&Tensor::scalar(1e30)).unwrap().item();
        assert!((f64::from(beyond) / (FRAC_2_PI * 1e-30) - 1.0).abs() < 1e-6, "{beyond}");
    }

    #[test]
    fn the_slope_at_zero_is_zero_in_the_value() {
        assert_eq!(Law::log_kernel_slopes(0.0, [2.0]), (0.0, [0.0]));
        assert_eq!(Law::log_normalizer_slopes([2.0]), [0.5]);
    }
}
