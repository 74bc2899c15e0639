//! The Gumbel distribution.

use std::f64::consts::PI;
use std::sync::Arc;

use rand::Rng as _;
use rand_distr::Exp1;

use crate::backend::Backend;
use crate::constraint::{Constraint, Positive, Real, Support};
use crate::dtype::Dtype;
use crate::tensor::Flat;

use super::power::{ln_one_minus_exp_of_exp, over_exp_m1};
use super::univariate::{Curve, Moment, Sampler, Univariate, univariate};

univariate! {
    /// The Gumbel distribution of largest values (type I) with mode `loc`.
    ///
    /// Density: exp(−z − e⁻ᶻ) / scale with z = (x − loc) / scale, on the real line.
    ///
    /// Shapes: `loc` and `scale` have the batch's shape, or one number for all of it.
    ///
    /// ```
    /// use ppl_core::{Tensor, distribution::Distribution, distributions::Gumbel};
    /// let flood = Gumbel::new(Tensor::<_, f64>::from([0.0, 1.0]), 0.5);
    /// let at_mode = flood.cdf(&Tensor::from([0.0, 1.0])).unwrap().to_vec();
    /// assert!((at_mode[1] - (-1.0_f64).exp()).abs() < 1e-15);
    /// ```
    ///
    /// Reference: Johnson, Kotz, Balakrishnan, *Continuous Univariate Distributions* II, ch. 22.
    Gumbel, 2, 3;
    /// The mode.
    loc,
    /// The standard deviation times √6 / π.
    scale,
}

/// Euler's constant γ.
pub(super) const EULER: f64 = 0.577_215_664_901_532_9;

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
        if z == f64::NEG_INFINITY { z } else { -z - (-z).exp() }
    }

    #[inline(always)]
    fn log_kernel_slopes(x: f64, [loc, scale]: [f64; 2]) -> (f64, [f64; 2]) {
        let z = (x - loc) / scale;
        let d = -(-z).exp_m1() / scale;
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
    const SAMPLER: Sampler<2> = Sampler::LocScale(|rng| -rng.sample::<f64, _>(Exp1).ln());
    const PATHWISE: Option<fn(f64, [f64; 2]) -> [f64; 2]> = Some(|x, [loc, scale]| [1.0, (x - loc) / scale]);
    const CDF: Option<Curve<2>> = Some(|x, [loc, scale]| (-((loc - x) / scale).exp()).exp());
    const SURVIVAL: Option<Curve<2>> = Some(|x, [loc, scale]| -(-((loc - x) / scale).exp()).exp_m1());
    const LOG_CDF: Option<Curve<2>> = Some(|x, [loc, scale]| -((loc - x) / scale).exp());
    const LOG_SURVIVAL: Option<Curve<2>> = Some(|x, [loc, scale]| ln_one_minus_exp_of_exp((loc - x) / scale));
    const HAZARDS: Option<fn(f64, [f64; 2]) -> [f64; 2]> = Some(|x, [loc, scale]| {
        let fall = ((loc - x) / scale).exp();
        [fall / scale, over_exp_m1(fall) / scale]
    });
    const ICDF: Option<Curve<2>> = Some(|q, [loc, scale]| loc - scale * (-q.ln()).ln());
    const MEAN: Option<Moment<2>> = Some(|[loc, scale]| loc + EULER * scale);
    const VARIANCE: Option<Moment<2>> = Some(|[_, scale]| scale.square() * (PI * PI / 6.0));
    const ENTROPY: Option<Moment<2>> = Some(|[_, scale]| scale.ln() + (1.0 + EULER));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::Distribution;
    use crate::{Cpu, Tensor};

    #[test]
    fn the_lower_tail_ends_without_a_nan() {
        let one = Gumbel::<(), f64, Cpu>::new(0.0, 1.0);
        for x in [-800.0, f64::NEG_INFINITY, f64::INFINITY] {
            assert_eq!(one.log_prob(&Tensor::scalar(x)).item(), f64::NEG_INFINITY);
        }
    }

    #[test]
    fn the_upper_tail_is_exponential() {
        let beyond = Gumbel::<(), f64, Cpu>::new(1.0, 2.0).survival(&Tensor::scalar(401.0)).unwrap().item();
        assert!((beyond / (-200.0_f64).exp() - 1.0).abs() < 1e-14);
    }

    #[test]
    fn the_largest_of_many_is_distributed_alike() {
        let (one, of_ten) = (Gumbel::<(), f64, Cpu>::new(0.0, 1.0), Gumbel::<(), f64, Cpu>::new(10.0_f64.ln(), 1.0));
        let x = Tensor::scalar(1.7);
        let (single, largest) = (one.cdf(&x).unwrap().item(), of_ten.cdf(&x).unwrap().item());
        assert!((single.powi(10) - largest).abs() < 1e-14);
    }
}
