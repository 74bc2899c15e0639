//! The geometric distribution.

use std::sync::Arc;

use rand::Rng as _;
use rand_distr::Exp1;

use crate::backend::Backend;
use crate::constraint::{Constraint, NonNegativeInteger, Support};
use crate::dtype::Dtype;
use crate::tensor::Flat;

use super::counting::quantile::{Shape, smallest_reaching};
use super::counting::{
    Odds, finite, log_step, log_step_down, on_counts, step, step_down, step_slopes, times, two_forms,
};
use super::power::ln_one_minus_exp;
use super::univariate::{Curve, Dual, Moment, Named, Sampler, ScaledSlopes, Univariate};

two_forms! {
    /// The number of failures before the first success, where each trial succeeds with probability
    /// `probs`, or with log-odds `logits`.
    ///
    /// Probability: (1 − p)ˣ p for x = 0, 1, 2, …, with 0 < p ≤ 1.
    ///
    /// Shapes: `probs` or `logits` have the batch's shape. Values are floats of the same shape; those
    /// that are not whole score −∞.
    ///
    /// ```
    /// use ppl_core::{Tensor, distribution::Distribution, distributions::Geometric};
    /// let failures = Geometric::new(Tensor::<_, f64>::from([0.5, 1.0]));
    /// assert_eq!(failures.mean().unwrap().to_vec(), [1.0, 0.0]);
    /// assert_eq!(failures.cdf(&Tensor::from([1.0, 0.0])).unwrap().to_vec(), [0.75, 1.0]);
    /// ```
    ///
    /// Reference: Johnson, Kemp, Kotz, *Univariate Discrete Distributions*, ch. 5.
    Geometric, 1, 2;
}

impl<O: Odds> Univariate<1> for Law<O>
where
    Law<O>: Named<1>,
{
    fn domains<E: Dtype, D: Backend<E>>() -> [&'static dyn Constraint<E, D>; 1] {
        [O::domain()]
    }

    fn conflict([t]: [f64; 1]) -> Option<(usize, String)> {
        (O::ln_p(t) == f64::NEG_INFINITY).then(|| (0, "greater than 0".into()))
    }

    fn support<E: Dtype, D: Backend<E>>(_: impl FnOnce() -> [Flat<E, D>; 1]) -> Support<E, D> {
        Arc::new(NonNegativeInteger)
    }

    #[inline]
    fn log_kernel(x: f64, [t]: [f64; 1]) -> f64 {
        on_counts(x, f64::INFINITY, || times(x, O::ln_q(t)))
    }

    #[inline]
    fn log_kernel_slopes(x: f64, [t]: [f64; 1]) -> (f64, [f64; 1]) {
        (0.0, [-times(x, O::slopes(t)[1])])
    }

    #[inline]
    fn log_normalizer([t]: [f64; 1]) -> f64 {
        -O::ln_p(t)
    }

    #[inline]
    fn log_normalizer_slopes([t]: [f64; 1]) -> [f64; 1] {
        [-O::slopes(t)[0]]
    }

    fn rounded<E: Dtype>(x: E) -> E {
        finite(x)
    }

    // ⌊E / −ln q⌋ exceeds x with probability qˣ⁺¹.
    const SAMPLER: Sampler<1> = Sampler::Direct(|[t], rng| (rng.sample::<f64, _>(Exp1) / -O::ln_q(t)).floor());
    const CDF: Option<Curve<1>> = Some(cdf::<O>);
    const CDF_SLOPES: Option<ScaledSlopes<1>> = Some(|x, [t], over| {
        let slope = |k: f64| [(k + 1.0) * (times(k, O::ln_q(t)) - over).exp() * O::slope(t)];
        step_slopes(x, f64::INFINITY, slope)
    });
    const SURVIVAL: Option<Curve<1>> = Some(|x, [t]| step_down(x, f64::INFINITY, |k| ((k + 1.0) * O::ln_q(t)).exp()));
    const LOG_CDF: Option<Curve<1>> = Some(|x, [t]| {
        log_step(x, f64::INFINITY, |k| {
            let log_beyond = (k + 1.0) * O::ln_q(t);
            if log_beyond > -1e-300 { (k + 1.0).ln() + O::ln_p(t) } else { ln_one_minus_exp(log_beyond) }
        })
    });
    const LOG_SURVIVAL: Option<Curve<1>> = Some(|x, [t]| log_step_down(x, f64::INFINITY, |k| (k + 1.0) * O::ln_q(t)));
    const ICDF: Option<Curve<1>> = Some(|q, [t]| {
        // The number itself but for rounding, as the mean of a distribution without width.
        let mean = (-q).ln_1p() / O::ln_q(t) - 1.0;
        let shape = Shape { mean: mean.ceil(), deviation: 0.0, skewness: 0.0 };
        let largest = if O::q(t) == 0.0 && O::ln_q(t) == f64::NEG_INFINITY { 0.0 } else { f64::INFINITY };
        smallest_reaching(q, largest, &shape, |k| cdf::<O>(k, [t]))
    });
    const MEAN: Option<Moment<1>> = Some(|[t]| O::odds_against(t));
    const VARIANCE: Option<Moment<1>> = Some(|[t]| {
        let mean = O::odds_against(t);
        mean * (mean + 1.0)
    });
    const ENTROPY: Option<Moment<1>> = Some(|[t]| {
        // −ln p − (q / p) ln q; the derivatives of the two logarithms cancel.
        let (mean, ln_q) = (O::odds_against(t), O::ln_q(t.value));
        Dual { value: -O::ln_p(t.value) - times(mean.value, ln_q), slopes: mean.slopes.map(|s| -times(s, ln_q)) }
    });
}

/// P(X ≤ x) = 1 − q^(⌊x⌋ + 1).
fn cdf<O: Odds>(x: f64, [t]: [f64; 1]) -> f64 {
    step(x, f64::INFINITY, |k| -((k + 1.0) * O::ln_q(t)).exp_m1())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::Distribution;
    use crate::{Cpu, Tensor};

    #[test]
    fn a_certain_success_has_no_failures() {
        let sure = Geometric::<(), f64, Cpu>::new(1.0);
        let log_prob = |x: f64| sure.log_prob(&Tensor::scalar(x)).item();
        assert_eq!([0.0, 1.0].map(log_prob), [0.0, f64::NEG_INFINITY]);
        assert_eq!(sure.icdf(&Tensor::scalar(1.0)).unwrap().item(), 0.0);
        assert_eq!([sure.mean(), sure.variance(), sure.entropy()].map(|m| m.unwrap().item()), [0.0; 3]);
    }

    #[test]
    fn a_probability_of_zero_is_named() {
        let error = Geometric::new(Tensor::<_, f64, Cpu>::from([0.5, 0.0])).check_parameters().unwrap_err();
        assert_eq!((error.parameter, error.element, error.constraint.as_str()), ("probs", vec![1], "greater than 0"));
    }

    #[test]
    fn it_has_no_memory() {
        let one = Geometric::<(), f64, Cpu>::new(0.2);
        let beyond = |x: f64| one.survival(&Tensor::scalar(x)).unwrap().item();
        assert!((beyond(7.0) - beyond(2.0) * beyond(4.0)).abs() < 1e-15);
    }
}
