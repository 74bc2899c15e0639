//! The log-normal distribution.

use std::sync::Arc;

use dfdx::shapes::Shape;
use rand::Rng as _;
use rand_distr::StandardNormal;

use crate::backend::Backend;
use crate::constraint::{Constraint, Positive, Real, Support};
use crate::distribution::TakeBase;
use crate::dtype::Dtype;
use crate::functions::error_function::{inverse_mills, log_normal_cdf, normal_cdf, normal_quantile};
use crate::tensor::{Flat, Operand};
use crate::transform::Exp;

use super::normal::Normal;
use super::univariate::{Curve, Front, Moment, Sampler, Univariate, positive, univariate};

univariate! {
    /// The distribution of eʸ where y is normal with mean `loc` and standard deviation `scale`.
    ///
    /// Density: exp(−(ln x − loc)² / (2 scale²)) / (x scale √(2π)) for x > 0.
    ///
    /// Shapes: `loc` and `scale` have the batch's shape, or one number for all of it.
    ///
    /// ```
    /// use ppl_core::{Tensor, distribution::Distribution, distributions::LogNormal};
    /// let income = LogNormal::new(Tensor::<_, f64>::from([0.0, 1.0]), 0.5);
    /// let median = income.icdf(&Tensor::from([0.5, 0.5])).unwrap().to_vec();
    /// assert!((median[1] - 1.0_f64.exp()).abs() < 1e-12);
    /// ```
    ///
    /// Reference: Johnson, Kotz, Balakrishnan, *Continuous Univariate Distributions* I, ch. 14.
    LogNormal, 2, 3;
    /// The mean of the logarithm.
    loc,
    /// The standard deviation of the logarithm.
    scale,
}

/// ln √(2π).
const HALF_LN_TWO_PI: f64 = 0.918_938_533_204_672_7;

/// The family.
#[derive(Clone, Copy)]
pub(super) struct Law;

impl Univariate<2> for Law {
    fn domains<E: Dtype, D: Backend<E>>() -> [&'static dyn Constraint<E, D>; 2] {
        [&Real, &Positive]
    }

    fn support<E: Dtype, D: Backend<E>>(_: impl FnOnce() -> [Flat<E, D>; 2]) -> Support<E, D> {
        Arc::new(Positive)
    }

    #[inline(always)]
    fn log_kernel(x: f64, [loc, scale]: [f64; 2]) -> f64 {
        if x <= 0.0 {
            return f64::NEG_INFINITY;
        }
        let log = x.ln();
        let z = (log - loc) / scale;
        -0.5 * z * z - log
    }

    #[inline(always)]
    fn log_kernel_slopes(x: f64, [loc, scale]: [f64; 2]) -> (f64, [f64; 2]) {
        let z = (x.ln() - loc) / scale;
        let d = z / scale;
        (-(1.0 + d) / x, [d, d * z])
    }

    #[inline(always)]
    fn log_normalizer([_, scale]: [f64; 2]) -> f64 {
        scale.ln() + HALF_LN_TWO_PI
    }

    #[inline(always)]
    fn log_normalizer_slopes([_, scale]: [f64; 2]) -> [f64; 2] {
        [0.0, scale.recip()]
    }

    /// Its logarithm's.
    fn with_base<S: Shape, E: Dtype, D: Backend<E>, T: TakeBase<E, D, S>>(
        parameters: &[Operand<S, E, D>; 2],
        shape: S,
        take: T,
    ) -> Option<T::Output> {
        let logarithm = Normal { front: Front::of_shape(parameters.clone(), shape) };
        Some(take.take(logarithm, Arc::new(Exp)))
    }

    const SAMPLER: Sampler<2> =
        Sampler::Noise(|rng| rng.sample(StandardNormal), |noise, [loc, scale]| (loc + scale * noise).exp());
    const PATHWISE: Option<fn(f64, [f64; 2]) -> [f64; 2]> = Some(|x, [loc, scale]| [x, x * ((x.ln() - loc) / scale)]);
    const CDF: Option<Curve<2>> =
        Some(|x, [loc, scale]| if x <= 0.0 { 0.0 } else { normal_cdf((x.ln() - loc) / scale) });
    const SURVIVAL: Option<Curve<2>> =
        Some(|x, [loc, scale]| if x <= 0.0 { 1.0 } else { normal_cdf((loc - x.ln()) / scale) });
    const LOG_CDF: Option<Curve<2>> =
        Some(|x, [loc, scale]| if x <= 0.0 { f64::NEG_INFINITY } else { log_normal_cdf((x.ln() - loc) / scale) });
    const LOG_SURVIVAL: Option<Curve<2>> =
        Some(|x, [loc, scale]| if x <= 0.0 { 0.0 } else { log_normal_cdf((loc - x.ln()) / scale) });
    const HAZARDS: Option<fn(f64, [f64; 2]) -> [f64; 2]> = Some(|x, [loc, scale]| {
        let z = (x.ln() - loc) / scale;
        [z, -z].map(|z| inverse_mills(z) / scale / x)
    });
    const ICDF: Option<Curve<2>> = Some(|q, [loc, scale]| (loc + scale * normal_quantile(q)).exp());
    const MEAN: Option<Moment<2>> = Some(|[loc, scale]| (loc + 0.5 * scale.square()).exp());
    const VARIANCE: Option<Moment<2>> = Some(|[loc, scale]| {
        let square = scale.square();
        square.exp_m1() * (2.0 * loc + square).exp()
    });
    const ENTROPY: Option<Moment<2>> = Some(|[loc, scale]| loc + scale.ln() + (0.5 + HALF_LN_TWO_PI));

    fn rounded<E: Dtype>(x: E) -> E {
        positive(x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autodiff::grad;
    use crate::distribution::Distribution;
    use crate::{Cpu, Tensor};

    #[test]
    fn values_up_to_zero_are_impossible_and_have_no_slope() {
        let one = LogNormal::<(), f64, Cpu>::new(0.0, 1.0);
        for x in [-1.0, 0.0, f64::INFINITY] {
            let x = Tensor::scalar(x).tracked();
            let (value, grads) = grad(|| one.log_prob(&x));
            assert_eq!((value.item(), grads.get(&x).unwrap().item()), (f64::NEG_INFINITY, 0.0));
        }
    }

    #[test]
    fn a_small_scale_keeps_the_digits_of_the_variance() {
        let narrow = LogNormal::<(), f64, Cpu>::new(0.0, 1e-9);
        assert!((narrow.variance().unwrap().item() / 1e-18 - 1.0).abs() < 1e-12);
    }
}
