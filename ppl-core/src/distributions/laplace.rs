//! The Laplace distribution.

use std::f64::consts::LN_2;
use std::sync::Arc;

use rand::Rng as _;
use rand_distr::Exp1;

use crate::backend::Backend;
use crate::constraint::{Constraint, Positive, Real, Support};
use crate::dtype::Dtype;
use crate::tensor::Flat;

use super::univariate::{Curve, Moment, Sampler, Univariate, univariate};

univariate! {
    /// The Laplace (double exponential) distribution with mean `loc` and mean distance to it `scale`.
    ///
    /// Density: exp(−|x − loc| / scale) / (2 scale) on the real line. At the kink the slope is 0.
    ///
    /// Shapes: `loc` and `scale` have the batch's shape, or one number for all of it.
    ///
    /// ```
    /// use ppl_core::{Tensor, distribution::Distribution, distributions::Laplace};
    /// let error = Laplace::new(Tensor::<_, f64>::from([0.0, 1.0]), 0.5);
    /// assert_eq!(error.log_prob(&Tensor::from([0.0, 2.0])).to_vec(), [0.0, -2.0]);
    /// ```
    ///
    /// Reference: Johnson, Kotz, Balakrishnan, *Continuous Univariate Distributions* II, ch. 24.
    Laplace, 2, 3;
    /// The mean.
    loc,
    /// The mean distance to `loc`.
    scale,
}

/// The family.
#[derive(Clone, Copy)]
pub(super) struct Law;

impl Univariate<2> for Law {
    fn domains<E: Dtype, D: Backend<E>>() -> [&'static dyn Constraint<E, D>; 2] {
        [&Real, &Positive]
    }

    fn support<E: Dtype, D: Backend<E>>(_: impl FnOnce() -> [Flat<E, D>; 2]) -> Support<E, D> {
        Arc::new(Real)
    }

    #[inline(always)]
    fn log_kernel(x: f64, [loc, scale]: [f64; 2]) -> f64 {
        -((x - loc) / scale).abs()
    }

    #[inline(always)]
    fn log_kernel_slopes(x: f64, [loc, scale]: [f64; 2]) -> (f64, [f64; 2]) {
        let z = (x - loc) / scale;
        let d = if z == 0.0 { 0.0 } else { z.signum() / scale };
        (-d, [d, z.abs() / scale])
    }

    #[inline(always)]
    fn log_normalizer([_, scale]: [f64; 2]) -> f64 {
        scale.ln() + LN_2
    }

    #[inline(always)]
    fn log_normalizer_slopes([_, scale]: [f64; 2]) -> [f64; 2] {
        [0.0, scale.recip()]
    }

    const LOC_SCALE: bool = true;
    const SAMPLER: Sampler<2> = Sampler::LocScale(|rng| {
        let distance: f64 = rng.sample(Exp1);
        if rng.r#gen() { distance } else { -distance }
    });
    const PATHWISE: Option<fn(f64, [f64; 2]) -> [f64; 2]> = Some(|x, [loc, scale]| [1.0, (x - loc) / scale]);
    const CDF: Option<Curve<2>> = Some(|x, [loc, scale]| standard_cdf((x - loc) / scale));
    const SURVIVAL: Option<Curve<2>> = Some(|x, [loc, scale]| standard_cdf((loc - x) / scale));
    const LOG_CDF: Option<Curve<2>> = Some(|x, [loc, scale]| log_standard_cdf((x - loc) / scale));
    const LOG_SURVIVAL: Option<Curve<2>> = Some(|x, [loc, scale]| log_standard_cdf((loc - x) / scale));
    const HAZARDS: Option<fn(f64, [f64; 2]) -> [f64; 2]> =
        Some(|x, [loc, scale]| [x - loc, loc - x].map(|d| standard_hazard(d / scale) / scale));
    const ICDF: Option<Curve<2>> = Some(|q, [loc, scale]| loc + scale * standard_quantile(q));
    const MEAN: Option<Moment<2>> = Some(|[loc, _]| loc);
    const VARIANCE: Option<Moment<2>> = Some(|[_, scale]| 2.0 * scale.square());
    const ENTROPY: Option<Moment<2>> = Some(|[_, scale]| scale.ln() + (1.0 + LN_2));
}

/// The cdf with mean 0 and scale 1.
fn standard_cdf(z: f64) -> f64 {
    if z < 0.0 { 0.5 * z.exp() } else { 1.0 - 0.5 * (-z).exp() }
}

/// Its logarithm.
fn log_standard_cdf(z: f64) -> f64 {
    if z < 0.0 { z - LN_2 } else { (-0.5 * (-z).exp()).ln_1p() }
}

/// The density over the cdf.
fn standard_hazard(z: f64) -> f64 {
    let rest = 0.5 * (-z).exp();
    if z < 0.0 { 1.0 } else { rest / (1.0 - rest) }
}

/// The value whose cdf is `q` where the scale is 1: NaN outside [0, 1].
fn standard_quantile(q: f64) -> f64 {
    if q < 0.5 { (2.0 * q).ln() } else { -(2.0 * (1.0 - q)).ln() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kink_has_no_slope() {
        assert_eq!(Law::log_kernel_slopes(1.5, [1.5, 2.0]), (0.0, [0.0, 0.0]));
    }

    #[test]
    fn quantiles_are_symmetric_and_end_with_the_unit_interval() {
        assert_eq!([standard_quantile(0.0), standard_quantile(0.5)], [f64::NEG_INFINITY, 0.0]);
        assert_eq!(standard_quantile(1.0), f64::INFINITY);
        assert_eq!(standard_quantile(0.125), -standard_quantile(0.875));
        assert!(standard_quantile(-0.1).is_nan() && standard_quantile(1.1).is_nan());
    }
}
