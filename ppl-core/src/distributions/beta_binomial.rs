//! The beta-binomial distribution.

use std::sync::Arc;

use crate::backend::Backend;
use crate::constraint::{Constraint, IntegerBounds, NonNegativeInteger, Positive, Support};
use crate::dtype::Dtype;
use crate::functions::gamma_function::digamma_difference;
use crate::rng::Rng;
use crate::tensor::Flat;

use super::counting::quantile::{Shape, smallest_reaching};
use super::counting::saddle_point::log_binomial;
use super::counting::{Logits, draw, enumerable, log_step, log_step_down, on_counts, step, step_down, step_slopes};
use super::standard_gamma::log_standard_gamma;
use super::univariate::{Curve, Moment, Sampler, ScaledSlopes, Univariate, univariate};

// Sums of the masses on either side of a point.
mod tails;

univariate! {
    /// A binomial count of `total_count` trials whose probability of success is drawn from a beta
    /// distribution with `concentration1` for successes and `concentration0` for failures.
    ///
    /// Probability: (n over x) B(x + concentration1, n − x + concentration0) /
    /// B(concentration1, concentration0) for x = 0, 1, …, n.
    ///
    /// Shapes: all parameters have the batch's shape, or one number for all of it. The number of
    /// trials is a whole number as a float, and has no gradient; where it is the same everywhere, and
    /// not beyond 65 536, the support can be enumerated. Values that are not whole score −∞.
    ///
    /// The cdf is a sum of at most some thousand terms, with an integral of the others, so that its cost is
    /// bounded whatever the number of trials is. It has nine digits in both tails up to ten deviations from the
    /// mean, and six where it is a normal probability: where the concentrations and the counts of successes and
    /// of failures are all beyond 10¹⁴. The entropy is summed in the same way.
    ///
    /// ```
    /// use ppl_core::{Tensor, distribution::Distribution, distributions::BetaBinomial};
    /// let uniform = BetaBinomial::new(Tensor::<_, f64>::from([1.0, 1.0]), 1.0, 4.0);
    /// assert_eq!(uniform.mean().unwrap().to_vec(), [2.0, 2.0]);
    /// let log_prob = uniform.log_prob(&Tensor::from([0.0, 3.0])).to_vec();
    /// assert!(log_prob.iter().all(|l| (l - 0.2_f64.ln()).abs() < 1e-14));
    /// ```
    ///
    /// Reference: Johnson, Kemp, Kotz, *Univariate Discrete Distributions*, sec. 6.2.2.
    BetaBinomial, 3, 4;
    /// The beta distribution's parameter for successes.
    concentration1,
    /// The beta distribution's parameter for failures.
    concentration0,
    /// The number of trials.
    total_count,
}

/// The family.
#[derive(Clone, Copy)]
pub(super) struct Law;

impl Univariate<3> for Law {
    fn domains<E: Dtype, D: Backend<E>>() -> [&'static dyn Constraint<E, D>; 3] {
        [&Positive, &Positive, &NonNegativeInteger]
    }

    fn support<E: Dtype, D: Backend<E>>(parameters: impl FnOnce() -> [Flat<E, D>; 3]) -> Support<E, D> {
        let [_, _, total_count] = parameters();
        Arc::new(IntegerBounds::new(Flat::vector(vec![E::of(0.0)]), total_count))
    }

    #[inline]
    fn log_kernel(x: f64, [a, b, n]: [f64; 3]) -> f64 {
        on_counts(x, n, || if n == 0.0 { 0.0 } else { log_mass(x, n - x, a, b) })
    }

    #[inline]
    fn log_kernel_slopes(x: f64, [a, b, n]: [f64; 3]) -> (f64, [f64; 3]) {
        let all = digamma_difference(a + b, n);
        (0.0, [digamma_difference(a, x) - all, digamma_difference(b, n - x) - all, 0.0])
    }

    const SAMPLER: Sampler<3> = Sampler::Direct(sample);
    const CDF: Option<Curve<3>> = Some(cdf);
    const CDF_SLOPES: Option<ScaledSlopes<3>> = Some(|x, [a, b, n], over| {
        step_slopes(x, n, |k| {
            let [along_a, along_b] = tails::slopes(k, [a, b, n], over);
            [along_a, along_b, 0.0]
        })
    });
    const SURVIVAL: Option<Curve<3>> = Some(|x, [a, b, n]| step_down(x, n, |k| tails::logs(k, [a, b, n])[1].exp()));
    const LOG_CDF: Option<Curve<3>> = Some(|x, [a, b, n]| log_step(x, n, |k| tails::logs(k, [a, b, n])[0]));
    const LOG_SURVIVAL: Option<Curve<3>> = Some(|x, [a, b, n]| log_step_down(x, n, |k| tails::logs(k, [a, b, n])[1]));
    const ICDF: Option<Curve<3>> = Some(|q, [a, b, n]| {
        // No search where the parameters are none.
        if a.min(b) <= 0.0 || a.max(b).max(n) == f64::INFINITY {
            return f64::NAN;
        }
        let (p, sum) = (1.0 / (1.0 + b / a), a + b);
        let deviation = (n * p * (b / sum) * ((sum + n) / (sum + 1.0))).sqrt();
        let shape = Shape { mean: n * p, deviation, skewness: 0.0 };
        smallest_reaching(q, n, &shape, |k| cdf(k, [a, b, n]))
    });
    const MEAN: Option<Moment<3>> = Some(|[a, b, n]| n.value * (a / (a + b)));
    const VARIANCE: Option<Moment<3>> = Some(|[a, b, n]| {
        let sum = a + b;
        n.value * (a / sum) * (b / sum) * ((sum + n.value) / (sum + 1.0))
    });
    const ENTROPY: Option<Moment<3>> = Some(tails::entropy);
    const LARGEST: Option<fn([f64; 3]) -> f64> = Some(|[_, _, n]| enumerable(n));
}

/// P(X ≤ x).
fn cdf(x: f64, [a, b, n]: [f64; 3]) -> f64 {
    step(x, n, |k| tails::logs(k, [a, b, n])[0].exp())
}

/// ln of (x + y over x) B(x + a, y + b) / B(a, b).
///
/// The three factors are binomial masses at p = (x + a) / (x + y + a + b), whose powers cancel: of x
/// among x + y, of a among a + b, and, in the denominator, of x + a among all, which lies at its mean.
fn log_mass(x: f64, y: f64, a: f64, b: f64) -> f64 {
    let sum = |a: f64, b: f64| (a + b).min(f64::MAX);
    let (successes, failures) = (sum(x, a), sum(y, b));
    let all = sum(successes, failures);
    let ln = |part: f64, rest: f64| if part < rest { part.ln() - all.ln() } else { -(rest / part).ln_1p() };
    let (ln_p, ln_q) = (|| ln(successes, failures), || ln(failures, successes));
    let gap = gap([x, y], [a, b], all);
    let trials = log_binomial(x, y, gap, ln_p, ln_q);
    let prior = log_binomial(a, b, -gap, ln_p, ln_q);
    let joint = log_binomial(successes, failures, 0.0, ln_p, ln_q);
    trials + prior - joint + (log_half_harmonic(a, b) - log_half_harmonic(successes, failures))
}

/// (y a − x b) / `all`, with what the products lose added back.
fn gap([x, y]: [f64; 2], [a, b]: [f64; 2], all: f64) -> f64 {
    // Products of numbers as large do not overflow.
    let scale = if all > 1e150 { f64::MIN_POSITIVE } else { 1.0 };
    let (a, b) = (a * scale, b * scale);
    let (p, q) = (y * a, x * b);
    ((p - q) + (y.mul_add(a, -p) - x.mul_add(b, -q))) / (all * scale)
}

/// ln(a b / (a + b)).
fn log_half_harmonic(a: f64, b: f64) -> f64 {
    a.min(b).ln() - (a.min(b) / a.max(b)).ln_1p()
}

/// A binomial count at the log-odds of two gamma variables, whose logarithms never underflow.
fn sample([a, b, n]: [f64; 3], rng: &mut Rng) -> f64 {
    let log_odds = log_standard_gamma(a, rng) - log_standard_gamma(b, rng);
    draw::binomial::<Logits>(n, log_odds, rng)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::Distribution;
    use crate::{Cpu, Tensor};

    #[test]
    fn no_trials_have_no_successes() {
        let none = BetaBinomial::<(), f64, Cpu>::new(2.0, 0.5, 0.0);
        let log_prob = |x: f64| none.log_prob(&Tensor::scalar(x)).item();
        assert_eq!([0.0, 1.0].map(log_prob), [0.0, f64::NEG_INFINITY]);
    }

    #[test]
    fn large_concentrations_make_it_binomial() {
        let sure = BetaBinomial::<(), f64, Cpu>::new(3e15, 1e15, 20.0);
        let binomial = super::super::Binomial::<(), f64, Cpu>::new(20.0, 0.75);
        for x in [0.0, 7.0, 20.0] {
            let x = Tensor::scalar(x);
            assert!((sure.log_prob(&x).item() - binomial.log_prob(&x).item()).abs() < 1e-11);
        }
    }

    #[test]
    fn tiny_concentrations_are_all_or_nothing() {
        let coin = BetaBinomial::<(), f64, Cpu>::new(1e-200, 3e-200, 1000.0);
        let log_prob = |x: f64| coin.log_prob(&Tensor::scalar(x)).item();
        assert!((log_prob(0.0) - 0.75_f64.ln()).abs() < 1e-12 && (log_prob(1000.0) - 0.25_f64.ln()).abs() < 1e-12);
        assert!(log_prob(500.0) < -400.0);
        let draws = BetaBinomial::<(usize,), f64, Cpu>::filled((100,), 1e-200, 3e-200, 1000.0);
        let draws = draws.draw(&mut Rng::seed(4)).to_vec();
        assert!(draws.iter().all(|&x| x == 0.0 || x == 1000.0) && draws.contains(&0.0) && draws.contains(&1000.0));
    }
}
