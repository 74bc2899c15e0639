//! The binomial distribution.

use std::sync::Arc;

use crate::backend::Backend;
use crate::constraint::{Constraint, IntegerBounds, NonNegativeInteger, Support};
use crate::dtype::Dtype;
use crate::functions::incomplete_beta::{beta_inc_both, ln_beta_inc_both};
use crate::tensor::Flat;

use super::counting::entropy::entropy;
use super::counting::quantile::{Shape, smallest_reaching};
use super::counting::saddle_point::{gap, log_binomial};
use super::counting::{
    Odds, draw, enumerable, log_step, log_step_down, on_counts, step, step_down, step_slopes, times, two_forms,
};
use super::univariate::{Curve, Dual, Moment, Named, Sampler, ScaledSlopes, Univariate};

two_forms! {
    /// The number of successes in `total_count` trials, each of which succeeds with probability
    /// `probs`, or with log-odds `logits`.
    ///
    /// Probability: (n over x) pˣ (1 − p)ⁿ⁻ˣ for x = 0, 1, …, n.
    ///
    /// Shapes: `total_count` and `probs` or `logits` have the batch's shape, or one number for all of
    /// it. The number of trials is a whole number as a float, and has no gradient; where it is the same
    /// everywhere, and not beyond 65 536, the support can be enumerated. Values that are not whole
    /// score −∞.
    ///
    /// ```
    /// use ppl_core::{Tensor, distribution::Distribution, distributions::Binomial};
    /// let heads = Binomial::new(3.0, Tensor::<_, f64>::from([0.5, 1.0]));
    /// let log_prob = heads.log_prob(&Tensor::from([1.0, 3.0])).to_vec();
    /// assert!((log_prob[0] - 0.375_f64.ln()).abs() < 1e-14 && log_prob[1] == 0.0);
    /// assert_eq!(heads.enumerate_support().unwrap().len(), 4);
    /// ```
    ///
    /// Reference: Johnson, Kemp, Kotz, *Univariate Discrete Distributions*, ch. 3.
    Binomial, 2, 3;
    /// The number of trials.
    total_count,
}

impl<O: Odds> Univariate<2> for Law<O>
where
    Law<O>: Named<2>,
{
    fn domains<E: Dtype, D: Backend<E>>() -> [&'static dyn Constraint<E, D>; 2] {
        [&NonNegativeInteger, O::domain()]
    }

    fn support<E: Dtype, D: Backend<E>>(parameters: impl FnOnce() -> [Flat<E, D>; 2]) -> Support<E, D> {
        let [total_count, _] = parameters();
        Arc::new(IntegerBounds::new(Flat::vector(vec![E::of(0.0)]), total_count))
    }

    #[inline]
    fn log_kernel(x: f64, [n, t]: [f64; 2]) -> f64 {
        on_counts(x, n, || log_mass::<O>(x, n - x, t))
    }

    #[inline]
    fn log_kernel_slopes(x: f64, [n, t]: [f64; 2]) -> (f64, [f64; 2]) {
        (0.0, [0.0, score::<O>(x, n - x, t)])
    }

    const SAMPLER: Sampler<2> = Sampler::Direct(|[n, t], rng| draw::binomial::<O>(n, t, rng));
    const CDF: Option<Curve<2>> = Some(cdf::<O>);
    const CDF_SLOPES: Option<ScaledSlopes<2>> = Some(|x, [n, t], over| {
        // ∂F/∂p is −n times the mass of ⌊x⌋ in n − 1 trials.
        step_slopes(x, n, |k| [0.0, -n * (log_mass::<O>(k, n - 1.0 - k, t) - over).exp() * O::slope(t)])
    });
    const SURVIVAL: Option<Curve<2>> = Some(|x, [n, t]| step_down(x, n, |k| tails::<O>(k, n, t)[1]));
    const LOG_CDF: Option<Curve<2>> = Some(|x, [n, t]| log_step(x, n, |k| log_tails::<O>(k, n, t)[0]));
    const LOG_SURVIVAL: Option<Curve<2>> = Some(|x, [n, t]| log_step_down(x, n, |k| log_tails::<O>(k, n, t)[1]));
    const ICDF: Option<Curve<2>> = Some(|q, [n, t]| {
        let (success, failure) = (O::p(t), O::q(t));
        let deviation = (n * success * failure).sqrt();
        let shape = Shape { mean: n * success, deviation, skewness: (failure - success) / deviation };
        smallest_reaching(q, n, &shape, |k| cdf::<O>(k, [n, t]))
    });
    const MEAN: Option<Moment<2>> = Some(|[n, t]| n.value * O::dual(t)[0]);
    const VARIANCE: Option<Moment<2>> = Some(variance::<O>);
    const ENTROPY: Option<Moment<2>> = Some(|[n, t]| {
        let (p, q) = (O::p(t.value), O::q(t.value));
        // The rarer outcome is counted.
        let pair = |k: f64| if p <= q { (k, n.value - k) } else { (n.value - k, k) };
        let log_mass = |k: f64| log_mass::<O>(pair(k).0, pair(k).1, t.value);
        let score = |k: f64| score::<O>(pair(k).0, pair(k).1, t.value);
        entropy(t, [n.value * p.min(q), n.value], variance::<O>([n, t]), log_mass, score)
    });
    const LARGEST: Option<fn([f64; 2]) -> f64> = Some(|[n, _]| enumerable(n));
}

/// The logarithm of the mass of x successes and y failures.
#[inline]
fn log_mass<O: Odds>(x: f64, y: f64, t: f64) -> f64 {
    log_binomial(x, y, gap(x, y, O::p(t), O::q(t)), || O::ln_p(t), || O::ln_q(t))
}

/// Its derivative along t.
#[inline]
fn score<O: Odds>(x: f64, y: f64, t: f64) -> f64 {
    let [success, failure] = O::slopes(t);
    times(x, success) - times(y, failure)
}

/// n p q.
fn variance<O: Odds>([n, t]: [Dual<2>; 2]) -> Dual<2> {
    let [p, q] = O::dual(t);
    n.value * p * q
}

/// P(X ≤ k) = I(1 − p; n − k, k + 1), and its complement.
fn tails<O: Odds>(k: f64, n: f64, t: f64) -> [f64; 2] {
    beta_inc_both(n - k, k + 1.0, [O::q(t), O::p(t)])
}

/// Their logarithms.
fn log_tails<O: Odds>(k: f64, n: f64, t: f64) -> [f64; 2] {
    ln_beta_inc_both(n - k, k + 1.0, [O::q(t), O::p(t)])
}

fn cdf<O: Odds>(x: f64, [n, t]: [f64; 2]) -> f64 {
    step(x, n, |k| tails::<O>(k, n, t)[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autodiff::grad;
    use crate::distribution::Distribution;
    use crate::rng::Rng;
    use crate::{Cpu, Tensor};

    #[test]
    fn certain_trials_score_without_nan() {
        for (p, x, expected, slope) in [
            (0.0, 0.0, 0.0, -3.0),
            (0.0, 1.0, f64::NEG_INFINITY, 0.0),
            (1.0, 3.0, 0.0, 3.0),
            (1.0, 2.0, f64::NEG_INFINITY, 0.0),
        ] {
            let probs = Tensor::<(), f64, Cpu>::scalar(p).tracked();
            let (log_prob, grads) = grad(|| Binomial::new(3.0, &probs).log_prob(&Tensor::scalar(x)));
            assert_eq!((log_prob.item(), grads.get(&probs).unwrap().item()), (expected, slope), "{p}, {x}");
        }
    }

    #[test]
    fn logits_beyond_the_smallest_probability_score() {
        let rare = Binomial::<(), f64, Cpu>::from_logits(10.0, -800.0);
        let expected = 120.0_f64.ln() - 2400.0;
        assert!((rare.log_prob(&Tensor::scalar(3.0)).item() - expected).abs() < 1e-12);
        let sure = Binomial::<(), f64, Cpu>::from_logits(10.0, 800.0);
        assert!((sure.log_prob(&Tensor::scalar(7.0)).item() - expected).abs() < 1e-12);
    }

    #[test]
    fn elements_may_have_trials_of_their_own() {
        let trials = Tensor::<_, f64, Cpu>::from([0.0, 2.0, 1e9]);
        let counts = Binomial::new(&trials, 0.5);
        assert!(counts.enumerate_support().is_none());
        assert_eq!(counts.mean().unwrap().to_vec(), [0.0, 1.0, 5e8]);
        let draw = counts.draw(&mut Rng::seed(1));
        assert_eq!(counts.support().violation(&draw.to_vec(), &[3]), None);
        assert!(Binomial::<(), f64, Cpu>::new(1e9, 0.5).enumerate_support().is_none());
    }

    #[test]
    fn trials_that_are_not_whole_are_named() {
        let error = Binomial::new(Tensor::<_, f64, Cpu>::from([2.0, 2.5]), 0.5).check_parameters().unwrap_err();
        assert_eq!((error.parameter, error.value, error.element), ("total_count", 2.5, vec![1]));
    }
}
