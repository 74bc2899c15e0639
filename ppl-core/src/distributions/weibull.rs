//! The Weibull distribution.

use std::sync::Arc;

use rand::Rng as _;
use rand_distr::Exp1;

use crate::backend::Backend;
use crate::constraint::{Constraint, NonNegative, Positive, Support};
use crate::dtype::Dtype;
use crate::tensor::Flat;

use super::gumbel::EULER;
use super::power::{ln_gamma_plus_one, ln_one_minus_exp_of_exp, log_ratio, log_spread_of_exponential, over_exp_m1};
use super::univariate::{Curve, Moment, Sampler, Univariate, positive, univariate};

univariate! {
    /// The Weibull distribution: scale · y^(1 / concentration) with y exponential with mean 1.
    ///
    /// Density: (k / scale) (x / scale)ᵏ⁻¹ exp(−(x / scale)ᵏ) for x ≥ 0, with k the concentration; at 0
    /// it is infinite for k < 1 and zero for k > 1.
    ///
    /// Shapes: `scale` and `concentration` have the batch's shape, or one number for all of it. Draws
    /// that round to 0 or ∞ are the smallest or largest number of the dtype.
    ///
    /// ```
    /// use ppl_core::{Tensor, distribution::Distribution, distributions::Weibull};
    /// let life = Weibull::new(2.0, Tensor::<_, f64>::from([1.0, 3.0]));
    /// let alive = life.cdf(&Tensor::from([2.0, 2.0])).unwrap().to_vec();
    /// assert!((alive[1] - 1.0 + (-1.0_f64).exp()).abs() < 1e-15);
    /// ```
    ///
    /// Reference: Johnson, Kotz, Balakrishnan, *Continuous Univariate Distributions* I, ch. 21; the
    /// order of the parameters is torch's.
    Weibull, 2, 3;
    /// The quantile of 1 − 1/e.
    scale,
    /// The shape.
    concentration,
}

/// The family.
#[derive(Clone, Copy)]
pub(super) struct Law;

impl Univariate<2> for Law {
    fn domains<E: Dtype, D: Backend<E>>() -> [&'static dyn Constraint<E, D>; 2] {
        [&Positive, &Positive]
    }

    fn support<E: Dtype, D: Backend<E>>(_: impl FnOnce() -> [Flat<E, D>; 2]) -> Support<E, D> {
        Arc::new(NonNegative)
    }

    #[inline(always)]
    fn log_kernel(x: f64, [scale, k]: [f64; 2]) -> f64 {
        let log = log_ratio(x, scale);
        let power = (k * log).exp();
        if x < 0.0 || power == f64::INFINITY {
            return f64::NEG_INFINITY;
        }
        let growth = if k == 1.0 { 0.0 } else { (k - 1.0) * log };
        growth - power
    }

    #[inline(always)]
    fn log_kernel_slopes(x: f64, [scale, k]: [f64; 2]) -> (f64, [f64; 2]) {
        let log = log_ratio(x, scale);
        let power = (k * log).exp();
        let along_x = if k == 1.0 { -scale.recip() } else { ((k - 1.0) - k * power) / x };
        // At 0 the power outweighs its logarithm.
        let shrinking = if power == 0.0 { 0.0 } else { power * log };
        (along_x, [(k * power - (k - 1.0)) / scale, log - shrinking])
    }

    #[inline(always)]
    fn log_normalizer([scale, k]: [f64; 2]) -> f64 {
        scale.ln() - k.ln()
    }

    #[inline(always)]
    fn log_normalizer_slopes([scale, k]: [f64; 2]) -> [f64; 2] {
        [scale.recip(), -k.recip()]
    }

    const STRETCH: Option<(&str, f64)> = Some(("scale", 1.0));
    const SAMPLER: Sampler<2> =
        Sampler::Noise(|rng| rng.sample::<f64, _>(Exp1).ln(), |noise, [scale, k]| scale * (noise / k).exp());
    const PATHWISE: Option<fn(f64, [f64; 2]) -> [f64; 2]> =
        Some(|x, [scale, k]| [x / scale, -x * (log_ratio(x, scale) / k)]);
    const CDF: Option<Curve<2>> =
        Some(|x, [scale, k]| if x <= 0.0 { 0.0 } else { -(-(k * log_ratio(x, scale)).exp()).exp_m1() });
    const SURVIVAL: Option<Curve<2>> =
        Some(|x, [scale, k]| if x <= 0.0 { 1.0 } else { (-(k * log_ratio(x, scale)).exp()).exp() });
    const LOG_CDF: Option<Curve<2>> =
        Some(
            |x, [scale, k]| {
                if x <= 0.0 { f64::NEG_INFINITY } else { ln_one_minus_exp_of_exp(k * log_ratio(x, scale)) }
            },
        );
    const LOG_SURVIVAL: Option<Curve<2>> =
        Some(|x, [scale, k]| if x <= 0.0 { 0.0 } else { -(k * log_ratio(x, scale)).exp() });
    const HAZARDS: Option<fn(f64, [f64; 2]) -> [f64; 2]> = Some(|x, [scale, k]| {
        let log = log_ratio(x, scale);
        let growth = if k == 1.0 { 0.0 } else { (k - 1.0) * log };
        [over_exp_m1((k * log).exp()) * k / x, growth.exp() * k / scale]
    });
    const ICDF: Option<Curve<2>> = Some(|q, [scale, k]| scale * ((-(-q).ln_1p()).ln() / k).exp());
    const MEAN: Option<Moment<2>> = Some(|[scale, k]| scale * ln_gamma_plus_one(k.recip()).exp());
    const VARIANCE: Option<Moment<2>> = Some(|[scale, k]| {
        let h = k.recip();
        (scale * ln_gamma_plus_one(h).exp()).square() * log_spread_of_exponential(h).exp_m1()
    });
    const ENTROPY: Option<Moment<2>> = Some(|[scale, k]| EULER * (1.0 - k.recip()) + scale.ln() - k.ln() + 1.0);

    fn rounded<E: Dtype>(x: E) -> E {
        positive(x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::Distribution;
    use crate::{Cpu, Tensor};

    #[test]
    fn the_density_at_zero_depends_on_the_concentration() {
        let at_zero = |k: f64| Weibull::<(), f64, Cpu>::new(2.0, k).log_prob(&Tensor::scalar(0.0)).item();
        assert_eq!([at_zero(0.5), at_zero(2.0)], [f64::INFINITY, f64::NEG_INFINITY]);
        assert!((at_zero(1.0) + 2.0_f64.ln()).abs() < 1e-15);
        assert_eq!(Law::log_kernel_slopes(0.0, [2.0, 1.0]), (-0.5, [0.0, f64::NEG_INFINITY]));
    }

    #[test]
    fn a_tiny_concentration_draws_in_the_dtype() {
        let wild = Weibull::<(usize,), f32, Cpu>::filled((1000,), 1.0, 1e-3);
        let draws = wild.draw(&mut crate::rng::Rng::seed(4)).to_vec();
        assert!(draws.iter().all(|&v| v > 0.0 && v.is_finite()));
    }
}
