//! The exponential distribution.

use std::sync::Arc;

use rand::Rng as _;
use rand_distr::Exp1;

use crate::backend::Backend;
use crate::constraint::{Constraint, NonNegative, Positive, Support};
use crate::dtype::Dtype;
use crate::tensor::Flat;

use super::power::{ln_one_minus_exp_of_exp, over_exp_m1};
use super::univariate::{Curve, Moment, Sampler, Univariate, univariate};

univariate! {
    /// The waiting time of a process with `rate` events a unit of time; the mean is 1 / rate.
    ///
    /// Density: rate · exp(−rate · x) for x ≥ 0.
    ///
    /// Shapes: `rate` has the batch's shape.
    ///
    /// ```
    /// use ppl_core::{Tensor, distribution::Distribution, distributions::Exponential};
    /// let wait = Exponential::new(Tensor::<_, f64>::from([1.0, 4.0]));
    /// assert_eq!(wait.mean().unwrap().to_vec(), [1.0, 0.25]);
    /// ```
    ///
    /// Reference: Johnson, Kotz, Balakrishnan, *Continuous Univariate Distributions* I, ch. 19.
    Exponential, 1, 2;
    /// Events a unit of time.
    rate,
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
    fn log_kernel(x: f64, [rate]: [f64; 1]) -> f64 {
        if x < 0.0 { f64::NEG_INFINITY } else { -rate * x }
    }

    #[inline(always)]
    fn log_kernel_slopes(x: f64, [rate]: [f64; 1]) -> (f64, [f64; 1]) {
        (-rate, [-x])
    }

    #[inline(always)]
    fn log_normalizer([rate]: [f64; 1]) -> f64 {
        -rate.ln()
    }

    #[inline(always)]
    fn log_normalizer_slopes([rate]: [f64; 1]) -> [f64; 1] {
        [-rate.recip()]
    }

    const STRETCH: Option<(&str, f64)> = Some(("rate", -1.0));
    const SAMPLER: Sampler<1> = Sampler::Direct(|[rate], rng| rng.sample::<f64, _>(Exp1) / rate);
    const PATHWISE: Option<fn(f64, [f64; 1]) -> [f64; 1]> = Some(|x, [rate]| [-x / rate]);
    const CDF: Option<Curve<1>> = Some(|x, [rate]| if x <= 0.0 { 0.0 } else { -(-rate * x).exp_m1() });
    const SURVIVAL: Option<Curve<1>> = Some(|x, [rate]| if x <= 0.0 { 1.0 } else { (-rate * x).exp() });
    const LOG_CDF: Option<Curve<1>> =
        Some(|x, [rate]| if x <= 0.0 { f64::NEG_INFINITY } else { ln_one_minus_exp_of_exp(rate.ln() + x.ln()) });
    const LOG_SURVIVAL: Option<Curve<1>> = Some(|x, [rate]| if x <= 0.0 { 0.0 } else { -rate * x });
    const HAZARDS: Option<fn(f64, [f64; 1]) -> [f64; 2]> = Some(|x, [rate]| [over_exp_m1(rate * x) / x, rate]);
    const ICDF: Option<Curve<1>> = Some(|q, [rate]| if q < 0.0 { f64::NAN } else { -(-q).ln_1p() / rate });
    const MEAN: Option<Moment<1>> = Some(|[rate]| rate.recip());
    const VARIANCE: Option<Moment<1>> = Some(|[rate]| rate.recip().square());
    const ENTROPY: Option<Moment<1>> = Some(|[rate]| 1.0 - rate.ln());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::Distribution;
    use crate::{Cpu, Tensor};

    #[test]
    fn negative_values_are_impossible() {
        let one = Exponential::<(), f64, Cpu>::new(2.0);
        assert_eq!(one.log_prob(&Tensor::scalar(-0.1)).item(), f64::NEG_INFINITY);
        assert_eq!(one.log_prob(&Tensor::scalar(0.0)).item(), 2.0_f64.ln());
    }

    #[test]
    fn it_has_no_memory() {
        let one = Exponential::<(), f64, Cpu>::new(0.7);
        let beyond = |x: f64| 1.0 - one.cdf(&Tensor::scalar(x)).unwrap().item();
        assert!((beyond(3.0) - beyond(1.0) * beyond(2.0)).abs() < 1e-15);
    }
}
