//! The Cauchy distribution.

use std::f64::consts::{FRAC_1_PI, LN_2, PI};
use std::sync::Arc;

use rand::Rng as _;
use rand::distributions::Open01;

use crate::backend::Backend;
use crate::constraint::{Constraint, Positive, Real, Support};
use crate::dtype::Dtype;
use crate::tensor::Flat;

use super::univariate::{Curve, Dual, Moment, Sampler, Univariate, univariate};

univariate! {
    /// The Cauchy distribution with median `loc` and half-width at half-maximum `scale`: Student's t
    /// with one degree of freedom.
    ///
    /// Density: 1 / (π scale (1 + ((x − loc) / scale)²)) on the real line. Mean and variance do not
    /// exist and are NaN.
    ///
    /// Shapes: `loc` and `scale` have the batch's shape, or one number for all of it.
    ///
    /// ```
    /// use ppl_core::{Tensor, distribution::Distribution, distributions::Cauchy};
    /// let wide = Cauchy::new(Tensor::<_, f64>::from([0.0, 3.0]), 2.0);
    /// let quartiles = wide.icdf(&Tensor::from([0.25, 0.75])).unwrap().to_vec();
    /// assert!((quartiles[0] + 2.0).abs() < 1e-12 && (quartiles[1] - 5.0).abs() < 1e-12);
    /// ```
    ///
    /// Reference: Johnson, Kotz, Balakrishnan, *Continuous Univariate Distributions* I, ch. 16.
    Cauchy, 2, 3;
    /// The median.
    loc,
    /// Half the distance between the quartiles.
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
        let z = (x - loc) / scale;
        // Half the difference does not overflow.
        if z.abs() > FAR { -2.0 * ((0.5 * x - 0.5 * loc).abs().ln() + LN_2 - scale.ln()) } else { -(z * z).ln_1p() }
    }

    #[inline(always)]
    fn log_kernel_slopes(x: f64, [loc, scale]: [f64; 2]) -> (f64, [f64; 2]) {
        let z = (x - loc) / scale;
        let d = slope(z) / scale;
        (-d, [d, growth(z) / scale])
    }

    #[inline(always)]
    fn log_normalizer([_, scale]: [f64; 2]) -> f64 {
        scale.ln() + PI.ln()
    }

    #[inline(always)]
    fn log_normalizer_slopes([_, scale]: [f64; 2]) -> [f64; 2] {
        [0.0, scale.recip()]
    }

    const LOC_SCALE: bool = true;
    const SAMPLER: Sampler<2> =
        Sampler::Noise(|rng| standard_quantile(rng.sample(Open01)), |noise, [loc, scale]| loc + scale * noise);
    const PATHWISE: Option<fn(f64, [f64; 2]) -> [f64; 2]> = Some(|x, [loc, scale]| [1.0, (x - loc) / scale]);
    // The angle of (loc − x, scale), which keeps its digits near 0.
    const CDF: Option<Curve<2>> = Some(|x, [loc, scale]| FRAC_1_PI * 1.0_f64.atan2((loc - x) / scale));
    const SURVIVAL: Option<Curve<2>> = Some(|x, [loc, scale]| FRAC_1_PI * 1.0_f64.atan2((x - loc) / scale));
    const LOG_CDF: Option<Curve<2>> = Some(|x, [loc, scale]| log_survival(-x, -loc, scale));
    const LOG_SURVIVAL: Option<Curve<2>> = Some(|x, [loc, scale]| log_survival(x, loc, scale));
    const ICDF: Option<Curve<2>> = Some(|q, [loc, scale]| loc + scale * standard_quantile(q));
    const MEAN: Option<Moment<2>> = Some(|_| Dual::constant(f64::NAN));
    const VARIANCE: Option<Moment<2>> = Some(|_| Dual::constant(f64::NAN));
    const ENTROPY: Option<Moment<2>> = Some(|[_, scale]| scale.ln() + (4.0 * PI).ln());

    // A tail beyond the largest number ends there.
    fn rounded<E: Dtype>(x: E) -> E {
        x.max(-E::max_value()).min(E::max_value())
    }
}

/// ln P(X > x).
fn log_survival(x: f64, loc: f64, scale: f64) -> f64 {
    let z = (x - loc) / scale;
    if z > FAR {
        scale.ln() - PI.ln() - (0.5 * x - 0.5 * loc).ln() - LN_2
    } else if z > 0.0 {
        (FRAC_1_PI * 1.0_f64.atan2(z)).ln()
    } else {
        (-FRAC_1_PI * 1.0_f64.atan2(-z)).ln_1p()
    }
}

/// Beyond this 1 + z² is z² to the last digit.
pub(super) const FAR: f64 = 1e9;

/// 2z / (1 + z²), of which the square cannot overflow.
#[inline(always)]
pub(super) fn slope(z: f64) -> f64 {
    2.0 / (z + z.recip())
}

/// 2z² / (1 + z²).
#[inline(always)]
pub(super) fn growth(z: f64) -> f64 {
    let r = z.recip();
    2.0 / (1.0 + r * r)
}

/// The value whose cdf is `q` where the scale is 1: NaN outside [0, 1]. From the nearer end, and
/// near the middle from the distance to it.
fn standard_quantile(q: f64) -> f64 {
    match q {
        0.0..0.25 => -(PI * q).tan().recip(),
        0.25..=0.75 => (PI * (q - 0.5)).tan(),
        0.75..=1.0 => (PI * (1.0 - q)).tan().recip(),
        _ => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::Distribution;
    use crate::{Cpu, Tensor};

    #[test]
    fn the_tails_are_heavy_and_never_overflow() {
        let one = Cauchy::<(), f64, Cpu>::new(0.0, 1e-200);
        let far = one.log_prob(&Tensor::scalar(-1e300)).item();
        assert!((far + (PI.ln() + 800.0 * 10.0_f64.ln())).abs() < 1e-9, "{far}");
        let standard = Cauchy::<(), f64, Cpu>::new(0.0, 1.0);
        let below = standard.cdf(&Tensor::scalar(-1e300)).unwrap().item();
        assert!((below * 1e300 - FRAC_1_PI).abs() < 1e-12);
        assert_eq!(standard.survival(&Tensor::scalar(1e300)).unwrap().item(), below);
        let wide = Cauchy::<(usize,), f32, Cpu>::filled((1000,), 0.0, 1e38);
        assert!(wide.draw(&mut crate::rng::Rng::seed(6)).to_vec().iter().all(|v| v.is_finite()));
    }

    #[test]
    fn quantiles_meet_where_their_forms_change() {
        assert_eq!([standard_quantile(0.0), standard_quantile(0.5)], [f64::NEG_INFINITY, 0.0]);
        assert_eq!(standard_quantile(1.0), f64::INFINITY);
        assert!((standard_quantile(0.25) + 1.0).abs() < 1e-15 && (standard_quantile(0.75) - 1.0).abs() < 1e-15);
        assert!(standard_quantile(-0.1).is_nan() && standard_quantile(1.1).is_nan());
    }
}
