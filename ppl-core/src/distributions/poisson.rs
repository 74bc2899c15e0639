//! The Poisson distribution.

use std::sync::Arc;

use crate::backend::Backend;
use crate::constraint::{Constraint, NonNegative, NonNegativeInteger, Support};
use crate::dtype::Dtype;
use crate::functions::incomplete_gamma::{gamma_inc, gamma_inc_upper, ln_gamma_inc_both};
use crate::tensor::Flat;

use super::counting::entropy::entropy;
use super::counting::quantile::{Shape, smallest_reaching};
use super::counting::saddle_point::log_poisson;
use super::counting::{draw, finite, log_step, log_step_down, on_counts, step, step_down, step_slopes};
use super::univariate::{Curve, Moment, Sampler, ScaledSlopes, Univariate, univariate};

univariate! {
    /// The number of events, of which `rate` are expected; at rate 0 there are none.
    ///
    /// Probability: rateˣ exp(−rate) / x! for x = 0, 1, 2, …
    ///
    /// Shapes: `rate` has the batch's shape. Values are floats of the same shape; those that are not
    /// whole score −∞.
    ///
    /// ```
    /// use ppl_core::{Tensor, distribution::Distribution, distributions::Poisson};
    /// let events = Poisson::new(Tensor::<_, f64>::from([0.0, 3.0]));
    /// let log_prob = events.log_prob(&Tensor::from([0.0, 1.0])).to_vec();
    /// assert!(log_prob[0] == 0.0 && (log_prob[1] - (3.0_f64.ln() - 3.0)).abs() < 1e-14);
    /// ```
    ///
    /// Reference: Johnson, Kemp, Kotz, *Univariate Discrete Distributions*, ch. 4.
    Poisson, 1, 2;
    /// The expected number.
    rate,
}

/// The family.
#[derive(Clone, Copy)]
pub(super) struct Law;

impl Univariate<1> for Law {
    fn domains<E: Dtype, D: Backend<E>>() -> [&'static dyn Constraint<E, D>; 1] {
        [&NonNegative]
    }

    fn support<E: Dtype, D: Backend<E>>(_: impl FnOnce() -> [Flat<E, D>; 1]) -> Support<E, D> {
        Arc::new(NonNegativeInteger)
    }

    #[inline]
    fn log_kernel(x: f64, [rate]: [f64; 1]) -> f64 {
        on_counts(x, f64::INFINITY, || log_poisson(x, rate))
    }

    #[inline]
    fn log_kernel_slopes(x: f64, [rate]: [f64; 1]) -> (f64, [f64; 1]) {
        (0.0, [if x == 0.0 { -1.0 } else { (x - rate) / rate }])
    }

    fn rounded<E: Dtype>(x: E) -> E {
        finite(x)
    }

    const SAMPLER: Sampler<1> = Sampler::Direct(|[rate], rng| draw::poisson(rate, rng));
    const CDF: Option<Curve<1>> = Some(cdf);
    const CDF_SLOPES: Option<ScaledSlopes<1>> =
        Some(|x, [rate], over| step_slopes(x, f64::INFINITY, |k| [-(log_poisson(k, rate) - over).exp()]));
    const SURVIVAL: Option<Curve<1>> = Some(|x, [rate]| step_down(x, f64::INFINITY, |k| gamma_inc(k + 1.0, rate)));
    const LOG_CDF: Option<Curve<1>> =
        Some(|x, [rate]| log_step(x, f64::INFINITY, |k| ln_gamma_inc_both(k + 1.0, rate)[1]));
    const LOG_SURVIVAL: Option<Curve<1>> =
        Some(|x, [rate]| log_step_down(x, f64::INFINITY, |k| ln_gamma_inc_both(k + 1.0, rate)[0]));
    const ICDF: Option<Curve<1>> = Some(|q, [rate]| {
        let deviation = rate.sqrt();
        let shape = Shape { mean: rate, deviation, skewness: deviation.recip() };
        let largest = if rate == 0.0 { 0.0 } else { f64::INFINITY };
        smallest_reaching(q, largest, &shape, |k| cdf(k, [rate]))
    });
    const MEAN: Option<Moment<1>> = Some(|[rate]| rate);
    const VARIANCE: Option<Moment<1>> = Some(|[rate]| rate);
    const ENTROPY: Option<Moment<1>> = Some(|[rate]| {
        let r = rate.value;
        entropy(rate, [r, f64::INFINITY], rate, |k| log_poisson(k, r), |k| (k - r) / r)
    });
}

/// P(X ≤ x) = Q(⌊x⌋ + 1, rate).
fn cdf(x: f64, [rate]: [f64; 1]) -> f64 {
    step(x, f64::INFINITY, |k| gamma_inc_upper(k + 1.0, rate))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autodiff::grad;
    use crate::distribution::Distribution;
    use crate::{Cpu, Tensor};

    #[test]
    fn at_rate_zero_nothing_happens() {
        let rate = Tensor::<(), f64, Cpu>::scalar(0.0).tracked();
        for (x, expected, slope) in [(0.0, 0.0, -1.0), (1.0, f64::NEG_INFINITY, 0.0)] {
            let (log_prob, grads) = grad(|| Poisson::new(&rate).log_prob(&Tensor::scalar(x)));
            assert_eq!((log_prob.item(), grads.get(&rate).unwrap().item()), (expected, slope));
        }
        assert_eq!(Poisson::new(&rate).icdf(&Tensor::scalar(1.0)).unwrap().item(), 0.0);
    }

    #[test]
    fn what_is_not_whole_is_impossible() {
        let one = Poisson::<(), f64, Cpu>::new(2.0);
        for x in [-1.0, 0.5, 2.0 + 1e-12, f64::INFINITY] {
            assert_eq!(one.log_prob(&Tensor::scalar(x)).item(), f64::NEG_INFINITY, "{x}");
        }
        assert_eq!(one.cdf(&Tensor::scalar(2.5)), one.cdf(&Tensor::scalar(2.0)));
    }

    #[test]
    fn the_upper_tail_keeps_its_digits() {
        // P(X > 30) at rate 1, by its first three terms; the fourth is 3e-5 of the first.
        let first = log_poisson(31.0, 1.0).exp();
        let expected = first * (1.0 + 1.0 / 32.0 + 1.0 / (32.0 * 33.0) + 1.0 / (32.0 * 33.0 * 34.0));
        let found = Poisson::<(), f64, Cpu>::new(1.0).survival(&Tensor::scalar(30.0)).unwrap().item();
        assert!((found / expected - 1.0).abs() < 2e-6, "{found:e}, {expected:e}");
    }
}
