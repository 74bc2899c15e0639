//! The inverse gamma distribution.

use std::sync::Arc;

use crate::backend::Backend;
use crate::constraint::{Constraint, Positive, Support};
use crate::dtype::Dtype;
use crate::functions::gamma_function::{digamma, trigamma};
use crate::functions::incomplete_gamma::gamma_quantile_upper;
use crate::rng::Rng;
use crate::tensor::Flat;

use super::deviance::{deviance, log_or};
use super::gamma::{
    DIRECT, Law as Gamma, log_small_quantile, log_standard_probabilities, standard_entropy, standard_probabilities,
};
use super::standard_gamma::{log_standard_gamma, log_standard_gamma_slope, standard_gamma};
use super::univariate::{Curve, Dual, Moment, Sampler, Univariate, univariate};

univariate! {
    /// The distribution of 1/g where g is gamma with this `concentration` and `rate`; `rate` is the
    /// scale of the values (called β elsewhere, `scale` in scipy).
    ///
    /// Density: rate^concentration / Γ(concentration) · x^(−concentration − 1) · exp(−rate / x) for
    /// x > 0.
    ///
    /// The mean is infinite up to a concentration of 1, the variance up to 2. Draws carry gradients to
    /// both parameters; those that the dtype cannot hold become its largest or smallest normal number.
    ///
    /// Shapes: `concentration` and `rate` have the batch's shape, or one number for all of it.
    ///
    /// ```
    /// use ppl_core::{Tensor, distribution::Distribution, distributions::InverseGamma};
    /// let variance = InverseGamma::new(Tensor::<_, f64>::from([0.5, 3.0]), 4.0);
    /// assert_eq!(variance.mean().unwrap().to_vec(), [f64::INFINITY, 2.0]);
    /// ```
    ///
    /// Reference: Gelman et al., *Bayesian Data Analysis*, 3rd ed., appendix A.
    InverseGamma, 2, 3;
    /// The concentration, or shape.
    concentration,
    /// The rate of the inverse, which is the scale of the values.
    rate,
}

/// The family.
#[derive(Clone, Copy)]
pub(super) struct Law;

/// The deviance of y = rate / x from the concentration, with ln(y / concentration).
fn deviance_of_quotient(x: f64, [concentration, rate]: [f64; 2]) -> (f64, f64) {
    let y = rate / x;
    let ratio = y / concentration;
    // Exact near its zero, where the deviance needs it.
    let difference = if y.is_finite() { (-concentration).mul_add(x, rate) / x } else { y };
    deviance(concentration, ratio, difference, || log_or(ratio, || rate.ln() - x.ln() - concentration.ln()))
}

impl Univariate<2> for Law {
    fn domains<E: Dtype, D: Backend<E>>() -> [&'static dyn Constraint<E, D>; 2] {
        [&Positive, &Positive]
    }

    fn support<E: Dtype, D: Backend<E>>(_: impl FnOnce() -> [Flat<E, D>; 2]) -> Support<E, D> {
        Arc::new(Positive)
    }

    fn log_kernel(x: f64, [concentration, rate]: [f64; 2]) -> f64 {
        if x <= 0.0 || x == f64::INFINITY {
            return f64::NEG_INFINITY;
        }
        if concentration < DIRECT {
            return -(concentration + 1.0) * x.ln() - rate / x;
        }
        -deviance_of_quotient(x, [concentration, rate]).0 - x.ln()
    }

    fn log_kernel_slopes(x: f64, [concentration, rate]: [f64; 2]) -> (f64, [f64; 2]) {
        let along = if concentration < DIRECT {
            [-x.ln(), -x.recip()]
        } else {
            [deviance_of_quotient(x, [concentration, rate]).1, concentration / rate - 1.0 / x]
        };
        ((rate / x - concentration - 1.0) / x, along)
    }

    fn log_normalizer(parameters: [f64; 2]) -> f64 {
        Gamma::log_normalizer(parameters)
    }

    fn log_normalizer_slopes(parameters: [f64; 2]) -> [f64; 2] {
        Gamma::log_normalizer_slopes(parameters)
    }

    fn rounded<E: Dtype>(x: E) -> E {
        Gamma::rounded(x)
    }

    const STRETCH: Option<(&str, f64)> = Some(("rate", 1.0));
    const SAMPLER: Sampler<2> = Sampler::Direct(draw);
    const PATHWISE: Option<fn(f64, [f64; 2]) -> [f64; 2]> =
        Some(|x, [concentration, rate]| [-x * log_standard_gamma_slope(rate.ln() - x.ln(), concentration), x / rate]);
    const CDF: Option<Curve<2>> = Some(|x, parameters| probabilities(x, parameters)[0]);
    const SURVIVAL: Option<Curve<2>> = Some(|x, parameters| probabilities(x, parameters)[1]);
    const LOG_CDF: Option<Curve<2>> = Some(|x, parameters| log_probabilities(x, parameters)[0]);
    const LOG_SURVIVAL: Option<Curve<2>> = Some(|x, parameters| log_probabilities(x, parameters)[1]);
    const ICDF: Option<Curve<2>> = Some(icdf);
    const MEAN: Option<Moment<2>> = Some(|[concentration, rate]| above(1.0, concentration, rate));
    const VARIANCE: Option<Moment<2>> =
        Some(|[concentration, rate]| above(2.0, concentration, (rate / (concentration - 1.0)).square()));
    const ENTROPY: Option<Moment<2>> = Some(|[concentration, rate]| {
        let a = concentration.value;
        standard_entropy(concentration) + rate.ln() - 2.0 * concentration.map(digamma(a), trigamma(a))
    });
}

/// With a concentration below 1 in logarithms, since the standard draw may underflow.
fn draw([concentration, rate]: [f64; 2], rng: &mut Rng) -> f64 {
    if concentration < 1.0 {
        (rate.ln() - log_standard_gamma(concentration, rng)).exp()
    } else {
        rate / standard_gamma(concentration, rng)
    }
}

/// The probabilities of a value at most and above x.
fn probabilities(x: f64, [concentration, rate]: [f64; 2]) -> [f64; 2] {
    if x <= 0.0 {
        return [0.0, 1.0];
    }
    let [above, upto] = standard_probabilities(concentration, rate / x, || rate.ln() - x.ln());
    [upto, above]
}

/// Their logarithms.
fn log_probabilities(x: f64, [concentration, rate]: [f64; 2]) -> [f64; 2] {
    if x <= 0.0 {
        return [f64::NEG_INFINITY, 0.0];
    }
    let [above, upto] = log_standard_probabilities(concentration, rate / x, || rate.ln() - x.ln());
    [upto, above]
}

/// The quantile of a probability.
fn icdf(q: f64, [concentration, rate]: [f64; 2]) -> f64 {
    let y = gamma_quantile_upper(concentration, q);
    if y < f64::MIN_POSITIVE && concentration < 1.0 && q < 1.0 {
        return (rate.ln() - log_small_quantile(concentration, (-q).ln_1p())).exp();
    }
    rate / y
}

/// top / (concentration − bound), infinite up to the bound.
fn above(bound: f64, concentration: Dual<2>, top: Dual<2>) -> Dual<2> {
    if concentration.value <= bound { Dual::constant(f64::INFINITY) } else { top / (concentration - bound) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::Distribution;
    use crate::distributions::Gamma;
    use crate::{Cpu, Tensor};

    #[test]
    fn it_is_the_inverse_of_a_gamma() {
        for (a, rate, x) in [(0.3, 2.0, 0.7), (5.0, 0.1, 0.02), (1e6, 3.0, 3.001e-6)] {
            let inverse = InverseGamma::<(), f64, Cpu>::new(a, rate).log_prob(&Tensor::scalar(x)).item();
            let direct = Gamma::<(), f64, Cpu>::new(a, rate).log_prob(&Tensor::scalar(1.0 / x)).item();
            assert!((inverse - (direct - 2.0 * f64::ln(x))).abs() < 1e-8 * direct.abs(), "{a}: {inverse}, {direct}");
        }
    }

    /// Values of mpmath.
    #[test]
    fn upper_tails_keep_their_digits() {
        let survival = |a: f64, rate: f64, x: f64| {
            InverseGamma::<(), f64, Cpu>::new(a, rate).survival(&Tensor::scalar(x)).unwrap().item()
        };
        assert!((survival(3.0, 1.0, 1e30) / 1.666_666_666_666_666_7e-91 - 1.0).abs() < 1e-13);
        // Where rate / x is no number.
        assert!((survival(1e-3, 1e-300, 1e200) - 0.316_410_090_216_972_6).abs() < 1e-14);
    }

    #[test]
    fn the_ends_of_the_line_are_impossible() {
        let one = InverseGamma::<(), f64, Cpu>::new(0.5, 1.0);
        for x in [-1.0, 0.0, 5e-324, f64::INFINITY] {
            assert_eq!(one.log_prob(&Tensor::scalar(x)).item(), f64::NEG_INFINITY, "{x}");
        }
        assert_eq!(one.cdf(&Tensor::scalar(f64::INFINITY)).unwrap().item(), 1.0);
    }
}
