//! The negative binomial distribution.

use std::sync::Arc;

use crate::backend::Backend;
use crate::constraint::{Constraint, HalfOpenInterval, NonNegative, NonNegativeInteger, Support};
use crate::dtype::Dtype;
use crate::tensor::Flat;

use super::counting::polya::{self, Polya};
use super::counting::{Odds, finite, two_forms};
use super::univariate::{Curve, Moment, Named, Sampler, ScaledSlopes, Univariate};

two_forms! {
    /// The number of successes before `total_count` failures, where each trial succeeds with
    /// probability `probs`, or with log-odds `logits`, as in torch.distributions: `total_count` may be
    /// any number from 0.
    ///
    /// Probability: Γ(x + r) / (x! Γ(r)) (1 − p)ʳ pˣ for x = 0, 1, 2, …, with 0 ≤ p < 1; the mean is
    /// r p / (1 − p).
    ///
    /// Shapes: `total_count` and `probs` or `logits` have the batch's shape, or one number for all of
    /// it. Values are floats; those that are not whole score −∞. The entropy is a sum of some thousand
    /// terms at most, with an integral of the others; it is NaN where the mean is beyond 10²⁹⁰ and no normal
    /// approximation holds (r p below 10¹²).
    ///
    /// ```
    /// use ppl_core::{Tensor, distribution::Distribution, distributions::NegativeBinomial};
    /// let counts = NegativeBinomial::new(2.0, Tensor::<_, f64>::from([0.5, 0.75]));
    /// assert_eq!(counts.mean().unwrap().to_vec(), [2.0, 6.0]);
    /// let log_prob = counts.log_prob(&Tensor::from([1.0, 0.0])).to_vec();
    /// assert!((log_prob[0] - 0.25_f64.ln()).abs() < 1e-14 && (log_prob[1] - 0.0625_f64.ln()).abs() < 1e-14);
    /// ```
    ///
    /// Reference: Johnson, Kemp, Kotz, *Univariate Discrete Distributions*, ch. 5.
    NegativeBinomial, 2, 3;
    /// The number of failures.
    total_count,
}

/// Probabilities of success, so that failures come.
const BELOW_ONE: HalfOpenInterval = HalfOpenInterval { low: 0.0, high: 1.0 };

impl<O: Odds> Univariate<2> for Law<O>
where
    Law<O>: Named<2>,
{
    fn domains<E: Dtype, D: Backend<E>>() -> [&'static dyn Constraint<E, D>; 2] {
        let by_probs = <Self as Named<2>>::PARAMETERS[1] == "probs";
        [&NonNegative, if by_probs { &BELOW_ONE } else { O::domain() }]
    }

    fn support<E: Dtype, D: Backend<E>>(_: impl FnOnce() -> [Flat<E, D>; 2]) -> Support<E, D> {
        Arc::new(NonNegativeInteger)
    }

    #[inline]
    fn log_kernel(x: f64, parameters: [f64; 2]) -> f64 {
        Polya::<O>::log_mass(x, parameters)
    }

    #[inline]
    fn log_kernel_slopes(x: f64, parameters: [f64; 2]) -> (f64, [f64; 2]) {
        (0.0, Polya::<O>::log_mass_slopes(x, parameters))
    }

    fn rounded<E: Dtype>(x: E) -> E {
        finite(x)
    }

    const SAMPLER: Sampler<2> = Sampler::Direct(polya::draw::<O>);
    const CDF: Option<Curve<2>> = Some(Polya::<O>::cdf);
    const CDF_SLOPES: Option<ScaledSlopes<2>> = Some(Polya::<O>::cdf_slopes);
    const SURVIVAL: Option<Curve<2>> = Some(Polya::<O>::survival);
    const LOG_CDF: Option<Curve<2>> = Some(Polya::<O>::log_cdf);
    const LOG_SURVIVAL: Option<Curve<2>> = Some(Polya::<O>::log_survival);
    const ICDF: Option<Curve<2>> = Some(Polya::<O>::icdf);
    const MEAN: Option<Moment<2>> = Some(|[r, t]| r * O::odds(t));
    const VARIANCE: Option<Moment<2>> = Some(|[r, t]| {
        let odds = O::odds(t);
        r * odds * (1.0 + odds)
    });
    const ENTROPY: Option<Moment<2>> = Some(Polya::<O>::entropy);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::Distribution;
    use crate::{Cpu, Tensor};

    #[test]
    fn without_failures_to_wait_for_there_are_no_successes() {
        let none = NegativeBinomial::<(), f64, Cpu>::new(0.0, 0.5);
        let log_prob = |x: f64| none.log_prob(&Tensor::scalar(x)).item();
        assert_eq!([0.0, 1.0].map(log_prob), [0.0, f64::NEG_INFINITY]);
        assert_eq!(none.cdf(&Tensor::scalar(0.0)).unwrap().item(), 1.0);
        assert_eq!(none.check_parameters(), Ok(()));
    }

    #[test]
    fn one_failure_is_geometric() {
        let one = NegativeBinomial::<(), f64, Cpu>::from_logits(1.0, 1.5);
        let geometric = super::super::Geometric::<(), f64, Cpu>::from_logits(-1.5);
        for x in [0.0, 1.0, 8.0, 300.0] {
            let x = Tensor::scalar(x);
            assert!((one.log_prob(&x).item() / geometric.log_prob(&x).item() - 1.0).abs() < 1e-13);
            let [found, expected] = [one.survival(&x), geometric.survival(&x)].map(|p| p.unwrap().item());
            assert!((found / expected - 1.0).abs() < 1e-11, "{found:e}, {expected:e}");
        }
    }

    #[test]
    fn many_failures_make_it_poisson() {
        // With p = rate / r the distance is of the order 1 / r.
        let many = NegativeBinomial::<(), f64, Cpu>::new(1e15, 4e-15);
        let poisson = super::super::Poisson::<(), f64, Cpu>::new(4.0);
        for x in [0.0, 3.0, 50.0] {
            let x = Tensor::scalar(x);
            assert!((many.log_prob(&x).item() - poisson.log_prob(&x).item()).abs() < 1e-11);
        }
    }

    #[test]
    fn a_certain_success_is_named() {
        let error = NegativeBinomial::new(2.0, Tensor::<_, f64, Cpu>::from([0.5, 1.0])).check_parameters().unwrap_err();
        assert_eq!((error.parameter, error.element, error.constraint.as_str()), ("probs", vec![1], "in [0, 1)"));
    }
}
