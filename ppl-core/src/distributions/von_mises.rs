//! The von Mises distribution.

use std::f64::consts::PI;
use std::sync::Arc;

use crate::backend::Backend;
use crate::constraint::{Circular, Constraint, Positive, Real, Support};
use crate::dtype::Dtype;
use crate::functions::bessel::{bessel_ratio_slope, bessel_shortfall, log_i0e};
use crate::tensor::Flat;

use super::univariate::{Curve, Moment, Sampler, ScaledSlopes, Univariate, univariate};

// Integrals of the density: cdf, quantiles, slopes of draws.
mod arc;
// Best and Fisher's sampler.
mod sampler;

use arc::Arc as Density;

univariate! {
    /// The von Mises distribution of angles in [−π, π): what the normal distribution is on a line.
    ///
    /// Density: exp(concentration · cos(x − loc)) / (2π I₀(concentration)) for −π ≤ x < π.
    ///
    /// `loc` is any angle; [`mean`](crate::distribution::Distribution::mean) is that angle, and
    /// [`variance`](crate::distribution::Distribution::variance) the circular variance
    /// 1 − I₁ / I₀, as in torch. The cdf counts from −π.
    ///
    /// The gradient of a draw is that of an angle: it moves with `loc`, around the circle, and towards
    /// it with the concentration by −(∂F/∂concentration) / density, F counted from the angle opposite
    /// `loc`. So the gradients of expectations are unbiased for functions of angles, that is with
    /// period 2π.
    ///
    /// Shapes: `loc` and `concentration` have the batch's shape, or one number for all of it.
    ///
    /// ```
    /// use ppl_core::{Tensor, distribution::Distribution, distributions::VonMises};
    /// let wind = VonMises::new(Tensor::<_, f64>::from([0.0, 3.0]), 2.0);
    /// let half = wind.cdf(&Tensor::from([0.0, 0.0])).unwrap().to_vec();
    /// assert!((half[0] - 0.5).abs() < 1e-12);
    /// ```
    ///
    /// Reference: Mardia, Jupp, *Directional Statistics*, 2000, ch. 3.5; the gradient of draws is that of
    /// Figurnov, Mohamed, Mnih, *Implicit reparameterization gradients*, NeurIPS 2018, and of TFP.
    VonMises, 2, 3;
    /// The mode.
    loc,
    /// The concentration around the mode; for a large one 1 / variance.
    concentration,
}

/// ln 2π.
const LN_TWO_PI: f64 = 1.837_877_066_409_345_3;

/// The family.
#[derive(Clone, Copy)]
pub(super) struct Law;

/// The smallest angle: −π as rounded to single precision, which is below −π and belongs to the support
/// there.
const LOWEST: f64 = -(std::f32::consts::PI as f64);

/// 1 − cos t.
#[inline(always)]
fn versine(t: f64) -> f64 {
    let half = (0.5 * t).sin();
    2.0 * half * half
}

impl Univariate<2> for Law {
    fn domains<E: Dtype, D: Backend<E>>() -> [&'static dyn Constraint<E, D>; 2] {
        [&Real, &Positive]
    }

    fn support<E: Dtype, D: Backend<E>>(_: impl FnOnce() -> [Flat<E, D>; 2]) -> Support<E, D> {
        Arc::new(Circular)
    }

    #[inline(always)]
    fn log_kernel(x: f64, [loc, concentration]: [f64; 2]) -> f64 {
        let inside = x.is_nan() || (LOWEST..PI).contains(&x);
        if inside { -concentration * versine(x - loc) } else { f64::NEG_INFINITY }
    }

    #[inline(always)]
    fn log_kernel_slopes(x: f64, [loc, concentration]: [f64; 2]) -> (f64, [f64; 2]) {
        let d = concentration * (x - loc).sin();
        (-d, [d, -versine(x - loc)])
    }

    #[inline(always)]
    fn log_normalizer([_, concentration]: [f64; 2]) -> f64 {
        LN_TWO_PI + log_i0e(concentration)
    }

    #[inline(always)]
    fn log_normalizer_slopes([_, concentration]: [f64; 2]) -> [f64; 2] {
        [0.0, -bessel_shortfall(concentration)]
    }

    const SAMPLER: Sampler<2> = Sampler::Direct(sampler::draw);
    const PATHWISE: Option<fn(f64, [f64; 2]) -> [f64; 2]> =
        Some(|x, [loc, concentration]| [1.0, Density::new(concentration).draw_slope(arc::wrapped(x - loc))]);
    const CDF: Option<Curve<2>> = Some(|x, [loc, concentration]| Density::new(concentration).cdf(x, loc));
    const CDF_SLOPES: Option<ScaledSlopes<2>> =
        Some(|x, [loc, concentration], over| Density::new(concentration).cdf_slopes(x, loc, over));
    const LOG_CDF: Option<Curve<2>> = Some(|x, [loc, concentration]| Density::new(concentration).log_cdf(x, loc));
    const LOG_SURVIVAL: Option<Curve<2>> =
        Some(|x, [loc, concentration]| Density::new(concentration).log_cdf(-x, -loc));
    const SURVIVAL: Option<Curve<2>> = Some(|x, [loc, concentration]| Density::new(concentration).cdf(-x, -loc));
    const ICDF: Option<Curve<2>> = Some(|q, [loc, concentration]| Density::new(concentration).quantile(q, loc));
    const MEAN: Option<Moment<2>> = Some(|[loc, _]| loc);
    const VARIANCE: Option<Moment<2>> = Some(|[_, c]| c.map(bessel_shortfall(c.value), -bessel_ratio_slope(c.value)));
    const ENTROPY: Option<Moment<2>> = Some(|[_, c]| {
        let k = c.value;
        c.map(LN_TWO_PI + log_i0e(k) + k * bessel_shortfall(k), -k * bessel_ratio_slope(k))
    });

    // What rounds to π is the same angle as −π.
    fn rounded<E: Dtype>(x: E) -> E {
        if x >= E::of(PI) { E::of(-PI) } else { x }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::Distribution;
    use crate::rng::Rng;
    use crate::{Cpu, Tensor};

    #[test]
    fn draws_are_angles_whatever_the_mode() {
        for (loc, concentration) in [(PI - 5e-8, 1e9), (5e-8 - PI, 1e9), (100.0, 0.5), (3.0, 1e-38), (0.0, 3e38)] {
            let one = VonMises::<(usize,), f32, Cpu>::filled((500,), loc, concentration);
            let draws = one.draw(&mut Rng::seed(2));
            assert_eq!(one.support().violation(&draws.to_vec(), &[500]), None, "{loc} {concentration}");
        }
        for concentration in [5e-324, 1e-300, 1e300, f64::MAX] {
            let draws = VonMises::<(usize,), f64, Cpu>::filled((500,), 0.0, concentration).draw(&mut Rng::seed(2));
            let width = concentration.sqrt().recip().min(1.0);
            assert!(draws.to_vec().iter().all(|v| v.abs() <= 6.0 * width), "{concentration}");
        }
    }

    #[test]
    fn the_density_has_period_two_pi_in_its_mode() {
        let at = |loc: f64| VonMises::<(), f64, Cpu>::new(loc, 2.5).log_prob(&Tensor::scalar(1.25)).item();
        assert!((at(0.5) - at(0.5 + 2.0 * PI)).abs() < 1e-14);
    }
}
