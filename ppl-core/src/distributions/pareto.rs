//! The Pareto distribution.

use std::sync::Arc;

use rand::Rng as _;
use rand_distr::Exp1;

use crate::backend::Backend;
use crate::constraint::{Constraint, LowerBound, Positive, Support};
use crate::dtype::Dtype;
use crate::tensor::Flat;

use super::power::{log_ratio, over_exp_m1};
use super::univariate::{Curve, Dual, Moment, Sampler, Univariate, positive, univariate};

univariate! {
    /// The Pareto distribution (type I) above `scale`: scale · e^(y / alpha) with y exponential with
    /// mean 1.
    ///
    /// Density: alpha · scaleᵃ / xᵃ⁺¹ for x ≥ scale, with a = alpha. The mean is infinite for alpha ≤ 1,
    /// the variance for alpha ≤ 2.
    ///
    /// Shapes: `scale` and `alpha` have the batch's shape, or one number for all of it.
    ///
    /// ```
    /// use ppl_core::{Tensor, distribution::Distribution, distributions::Pareto};
    /// let wealth = Pareto::new(1.0, Tensor::<_, f64>::from([1.0, 3.0]));
    /// assert_eq!(wealth.mean().unwrap().to_vec(), [f64::INFINITY, 1.5]);
    /// ```
    ///
    /// Reference: Johnson, Kotz, Balakrishnan, *Continuous Univariate Distributions* I, ch. 20; the
    /// parameters are torch's.
    Pareto, 2, 3;
    /// The smallest value.
    scale,
    /// The exponent of the tail.
    alpha,
}

/// The family.
#[derive(Clone, Copy)]
pub(super) struct Law;

impl Univariate<2> for Law {
    fn domains<E: Dtype, D: Backend<E>>() -> [&'static dyn Constraint<E, D>; 2] {
        [&Positive, &Positive]
    }

    fn support<E: Dtype, D: Backend<E>>(parameters: impl FnOnce() -> [Flat<E, D>; 2]) -> Support<E, D> {
        let [scale, _] = parameters();
        Arc::new(LowerBound::new(scale))
    }

    #[inline(always)]
    fn log_kernel(x: f64, [scale, alpha]: [f64; 2]) -> f64 {
        if x < scale { f64::NEG_INFINITY } else { -alpha * log_ratio(x, scale) - x.ln() }
    }

    #[inline(always)]
    fn log_kernel_slopes(x: f64, [scale, alpha]: [f64; 2]) -> (f64, [f64; 2]) {
        (-(alpha + 1.0) / x, [alpha / scale, -log_ratio(x, scale)])
    }

    #[inline(always)]
    fn log_normalizer([_, alpha]: [f64; 2]) -> f64 {
        -alpha.ln()
    }

    #[inline(always)]
    fn log_normalizer_slopes([_, alpha]: [f64; 2]) -> [f64; 2] {
        [0.0, -alpha.recip()]
    }

    const STRETCH: Option<(&str, f64)> = Some(("scale", 1.0));
    const SAMPLER: Sampler<2> =
        Sampler::Noise(|rng| rng.sample(Exp1), |noise, [scale, alpha]| scale * (noise / alpha).exp());
    const PATHWISE: Option<fn(f64, [f64; 2]) -> [f64; 2]> =
        Some(|x, [scale, alpha]| [x / scale, -x * (log_ratio(x, scale) / alpha)]);
    const CDF: Option<Curve<2>> =
        Some(|x, [scale, alpha]| if x <= scale { 0.0 } else { -(-alpha * log_ratio(x, scale)).exp_m1() });
    const SURVIVAL: Option<Curve<2>> =
        Some(|x, [scale, alpha]| if x <= scale { 1.0 } else { (-alpha * log_ratio(x, scale)).exp() });
    const LOG_SURVIVAL: Option<Curve<2>> =
        Some(|x, [scale, alpha]| if x <= scale { 0.0 } else { -alpha * log_ratio(x, scale) });
    const HAZARDS: Option<fn(f64, [f64; 2]) -> [f64; 2]> = Some(|x, [scale, alpha]| {
        let far = alpha * log_ratio(x, scale);
        [over_exp_m1(far) / far, 1.0].map(|share| share * (alpha / x))
    });
    const ICDF: Option<Curve<2>> =
        Some(|q, [scale, alpha]| if q < 0.0 { f64::NAN } else { scale * (-(-q).ln_1p() / alpha).exp() });
    const MEAN: Option<Moment<2>> =
        Some(
            |[scale, alpha]| {
                if alpha.value <= 1.0 { Dual::constant(f64::INFINITY) } else { scale * alpha / (alpha - 1.0) }
            },
        );
    const VARIANCE: Option<Moment<2>> = Some(|[scale, alpha]| {
        if alpha.value <= 2.0 {
            return Dual::constant(f64::INFINITY);
        }
        (scale / (alpha - 1.0)).square() * (alpha / (alpha - 2.0))
    });
    const ENTROPY: Option<Moment<2>> = Some(|[scale, alpha]| scale.ln() - alpha.ln() + alpha.recip() + 1.0);

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
    fn the_scale_belongs_to_the_support() {
        let one = Pareto::<(), f64, Cpu>::new(2.0, 3.0);
        assert!((one.log_prob(&Tensor::scalar(2.0)).item() - 1.5_f64.ln()).abs() < 1e-15);
        assert_eq!(one.log_prob(&Tensor::scalar(1.999)).item(), f64::NEG_INFINITY);
        assert_eq!(one.support().violation(&[2.0], &[]), None);
    }

    #[test]
    fn the_tail_is_a_power() {
        let one = Pareto::<(), f64, Cpu>::new(1e-200, 2.5);
        let step = one.log_prob(&Tensor::scalar(1e201)).item() - one.log_prob(&Tensor::scalar(1e200)).item();
        assert!((step + 3.5 * 10.0_f64.ln()).abs() < 1e-11);
        let beyond = Pareto::<(), f64, Cpu>::new(1.0, 2.0).survival(&Tensor::scalar(1e100)).unwrap().item();
        assert!((beyond / 1e-200 - 1.0).abs() < 1e-12);
    }
}
