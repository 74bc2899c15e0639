//! The logistic distribution.

use std::f64::consts::PI;
use std::sync::Arc;

use rand::Rng as _;
use rand::distributions::Open01;

use crate::backend::Backend;
use crate::constraint::{Constraint, Positive, Real, Support};
use crate::dtype::Dtype;
use crate::functions::unary::{sigmoid, softplus};
use crate::tensor::Flat;

use super::univariate::{Curve, Moment, Sampler, Univariate, univariate};

univariate! {
    /// The logistic distribution, whose cdf is the sigmoid of (x − loc) / scale.
    ///
    /// Density: e⁻ᶻ / (scale (1 + e⁻ᶻ)²) with z = (x − loc) / scale, on the real line.
    ///
    /// Shapes: `loc` and `scale` have the batch's shape, or one number for all of it.
    ///
    /// ```
    /// use ppl_core::{Tensor, distribution::Distribution, distributions::Logistic};
    /// let growth = Logistic::new(Tensor::<_, f64>::from([0.0, 1.0]), 0.5);
    /// assert_eq!(growth.cdf(&Tensor::from([0.0, 1.0])).unwrap().to_vec(), [0.5, 0.5]);
    /// ```
    ///
    /// Reference: Johnson, Kotz, Balakrishnan, *Continuous Univariate Distributions* II, ch. 23.
    Logistic, 2, 3;
    /// The mean.
    loc,
    /// The standard deviation times √3 / π.
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
        let z = ((x - loc) / scale).abs();
        -z - 2.0 * (-z).exp().ln_1p()
    }

    #[inline(always)]
    fn log_kernel_slopes(x: f64, [loc, scale]: [f64; 2]) -> (f64, [f64; 2]) {
        let z = (x - loc) / scale;
        let d = (0.5 * z).tanh() / scale;
        (-d, [d, d * z])
    }

    #[inline(always)]
    fn log_normalizer([_, scale]: [f64; 2]) -> f64 {
        scale.ln()
    }

    #[inline(always)]
    fn log_normalizer_slopes([_, scale]: [f64; 2]) -> [f64; 2] {
        [0.0, scale.recip()]
    }

    const LOC_SCALE: bool = true;
    const SAMPLER: Sampler<2> = Sampler::LocScale(|rng| logit(rng.sample(Open01)));
    const PATHWISE: Option<fn(f64, [f64; 2]) -> [f64; 2]> = Some(|x, [loc, scale]| [1.0, (x - loc) / scale]);
    const CDF: Option<Curve<2>> = Some(|x, [loc, scale]| (1.0 + ((loc - x) / scale).exp()).recip());
    const SURVIVAL: Option<Curve<2>> = Some(|x, [loc, scale]| (1.0 + ((x - loc) / scale).exp()).recip());
    const LOG_CDF: Option<Curve<2>> = Some(|x, [loc, scale]| -softplus((loc - x) / scale));
    const LOG_SURVIVAL: Option<Curve<2>> = Some(|x, [loc, scale]| -softplus((x - loc) / scale));
    const HAZARDS: Option<fn(f64, [f64; 2]) -> [f64; 2]> =
        Some(|x, [loc, scale]| [loc - x, x - loc].map(|d| sigmoid(d / scale) / scale));
    const ICDF: Option<Curve<2>> = Some(|q, [loc, scale]| loc + scale * logit(q));
    const MEAN: Option<Moment<2>> = Some(|[loc, _]| loc);
    const VARIANCE: Option<Moment<2>> = Some(|[_, scale]| scale.square() * (PI * PI / 3.0));
    const ENTROPY: Option<Moment<2>> = Some(|[_, scale]| scale.ln() + 2.0);
}

/// ln(q / (1 − q)), with its digits near ½ too: NaN outside [0, 1].
pub(super) fn logit(q: f64) -> f64 {
    if (0.25..=0.75).contains(&q) { 2.0 * (2.0 * q - 1.0).atanh() } else { q.ln() - (-q).ln_1p() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_odds_keep_their_digits() {
        let step = f64::EPSILON;
        assert!((logit(0.5 + step) / (4.0 * step) - 1.0).abs() < 1e-12);
        assert_eq!([logit(0.0), logit(0.5), logit(1.0)], [f64::NEG_INFINITY, 0.0, f64::INFINITY]);
        assert!(logit(-0.1).is_nan() && logit(1.1).is_nan());
        assert!((logit(0.25 - step) - logit(0.25)).abs() < 1e-14);
    }
}
