//! The gamma distribution.

use std::sync::Arc;

use num_traits::clamp;

use crate::backend::Backend;
use crate::constraint::{Constraint, NonNegative, Positive, Support};
use crate::dtype::Dtype;
use crate::functions::gamma_function::{
    HALF_LN_TWO_PI, digamma, ln_gamma, ln_gamma_1p, ln_minus_digamma, polynomial, stirling_correction, trigamma,
};
use crate::functions::incomplete_gamma::{gamma_inc_both, gamma_quantile, ln_gamma_inc_both};
use crate::rng::Rng;
use crate::tensor::Flat;

use super::deviance::deviance_of_product;
use super::power::ln_one_minus_exp;
use super::standard_gamma::{log_standard_gamma, log_standard_gamma_slope, standard_gamma};
use super::univariate::{Curve, Dual, Moment, Sampler, Univariate, univariate};

univariate! {
    /// The gamma distribution with shape `concentration` and `rate` (not scale, which is 1 / rate);
    /// the mean is concentration / rate.
    ///
    /// Density: rate^concentration / Γ(concentration) · x^(concentration − 1) · exp(−rate · x) for
    /// x ≥ 0. For a concentration below 1 it is infinite at 0.
    ///
    /// Draws carry gradients to both parameters. A draw that the dtype cannot hold becomes its
    /// smallest normal (or largest) number, as in torch: with a concentration of 1e-3 and rate 1 that
    /// is 92 % of them in `f32` and 49 % in `f64`, so that the density at draws stays finite.
    ///
    /// Shapes: `concentration` and `rate` have the batch's shape, or one number for all of it.
    ///
    /// ```
    /// use ppl_core::{Tensor, distribution::Distribution, distributions::Gamma};
    /// let precision = Gamma::new(Tensor::<_, f64>::from([1.0, 6.0]), 2.0);
    /// assert_eq!(precision.mean().unwrap().to_vec(), [0.5, 3.0]);
    /// assert_eq!(precision.variance().unwrap().to_vec(), [0.25, 1.5]);
    /// ```
    ///
    /// Reference: Johnson, Kotz, Balakrishnan, *Continuous Univariate Distributions* I, ch. 17;
    /// gradients of draws: Figurnov, Mohamed, Mnih, *Implicit reparameterization gradients*, 2018.
    Gamma, 2, 3;
    /// The concentration, or shape.
    concentration,
    /// The rate, or inverse scale.
    rate,
}

/// The family.
#[derive(Clone, Copy)]
pub(super) struct Law;

impl Univariate<2> for Law {
    fn domains<E: Dtype, D: Backend<E>>() -> [&'static dyn Constraint<E, D>; 2] {
        [&Positive, &Positive]
    }

    fn support<E: Dtype, D: Backend<E>>(_: impl FnOnce() -> [Flat<E, D>; 2]) -> Support<E, D> {
        Arc::new(NonNegative)
    }

    #[inline]
    fn log_kernel(x: f64, [concentration, rate]: [f64; 2]) -> f64 {
        if x < 0.0 || x == f64::INFINITY {
            return f64::NEG_INFINITY;
        }
        if x == 0.0 {
            return log_kernel_at_zero(concentration, rate);
        }
        if concentration < DIRECT {
            return (concentration - 1.0) * x.ln() - rate * x;
        }
        -deviance_of_product(x, rate, concentration).0 - x.ln()
    }

    #[inline]
    fn log_kernel_slopes(x: f64, [concentration, rate]: [f64; 2]) -> (f64, [f64; 2]) {
        let along = if concentration < DIRECT {
            [x.ln(), -x]
        } else {
            [deviance_of_product(x, rate, concentration).1, concentration / rate - x]
        };
        let along_x = if concentration == 1.0 { -rate } else { (concentration - 1.0) / x - rate };
        (along_x, along)
    }

    fn log_normalizer([concentration, rate]: [f64; 2]) -> f64 {
        if concentration < DIRECT {
            return ln_gamma(concentration) - concentration * rate.ln();
        }
        HALF_LN_TWO_PI - 0.5 * concentration.ln() + stirling_correction(concentration)
    }

    fn log_normalizer_slopes([concentration, rate]: [f64; 2]) -> [f64; 2] {
        if concentration < DIRECT {
            return [digamma(concentration) - rate.ln(), -concentration / rate];
        }
        [-ln_minus_digamma(concentration), 0.0]
    }

    fn rounded<E: Dtype>(x: E) -> E {
        clamp(x, E::min_positive_value(), E::max_value())
    }

    const STRETCH: Option<(&str, f64)> = Some(("rate", -1.0));
    const SAMPLER: Sampler<2> = Sampler::Direct(draw);
    const PATHWISE: Option<fn(f64, [f64; 2]) -> [f64; 2]> = Some(pathwise);
    const CDF: Option<Curve<2>> = Some(|x, parameters| probabilities(x, parameters)[0]);
    const SURVIVAL: Option<Curve<2>> = Some(|x, parameters| probabilities(x, parameters)[1]);
    const LOG_CDF: Option<Curve<2>> = Some(|x, parameters| log_probabilities(x, parameters)[0]);
    const LOG_SURVIVAL: Option<Curve<2>> = Some(|x, parameters| log_probabilities(x, parameters)[1]);
    const ICDF: Option<Curve<2>> = Some(icdf);
    const MEAN: Option<Moment<2>> = Some(|[concentration, rate]| concentration / rate);
    const VARIANCE: Option<Moment<2>> = Some(|[concentration, rate]| concentration / rate / rate);
    const ENTROPY: Option<Moment<2>> = Some(|[concentration, rate]| standard_entropy(concentration) - rate.ln());
}

/// Below this concentration the terms of the density do not cancel to the digits that are kept, and it
/// takes one logarithm; from here on it is made of a deviance.
pub(super) const DIRECT: f64 = 16.0;

/// The limit of the kernel at 0: that of (concentration − 1) ln x, or what makes the density rate.
fn log_kernel_at_zero(concentration: f64, rate: f64) -> f64 {
    if concentration < 1.0 {
        f64::INFINITY
    } else if concentration > 1.0 {
        f64::NEG_INFINITY
    } else {
        // 0, but NaN stays NaN.
        (concentration - 1.0) + 0.0 * rate
    }
}

/// With a concentration below 1 in logarithms, since the standard draw may underflow.
#[inline]
pub(super) fn draw([concentration, rate]: [f64; 2], rng: &mut Rng) -> f64 {
    if concentration < 1.0 {
        (log_standard_gamma(concentration, rng) - rate.ln()).exp()
    } else {
        standard_gamma(concentration, rng) / rate
    }
}

/// d ln x of the standard draw with the concentration; 1 / rate is a scale.
pub(super) fn pathwise(x: f64, [concentration, rate]: [f64; 2]) -> [f64; 2] {
    [x * log_standard_gamma_slope(x.ln() + rate.ln(), concentration), -x / rate]
}

/// The probabilities of a value at most and above x.
pub(super) fn probabilities(x: f64, [concentration, rate]: [f64; 2]) -> [f64; 2] {
    if x <= 0.0 {
        return [0.0, 1.0];
    }
    standard_probabilities(concentration, rate * x, || rate.ln() + x.ln())
}

/// P(a, y) and Q(a, y) for y > 0. Where y is too small for a number, P is y^a / Γ(a + 1), of which the
/// logarithm of y is asked.
pub(super) fn standard_probabilities(a: f64, y: f64, log: impl FnOnce() -> f64) -> [f64; 2] {
    if y < f64::MIN_POSITIVE && a > 0.0 && a < 1.0 {
        let log_lower = a * log() - ln_gamma_1p(a);
        return [log_lower.exp(), -log_lower.exp_m1()];
    }
    gamma_inc_both(a, y)
}

/// The logarithms of [`probabilities`].
pub(super) fn log_probabilities(x: f64, [concentration, rate]: [f64; 2]) -> [f64; 2] {
    if x <= 0.0 {
        return [f64::NEG_INFINITY, 0.0];
    }
    log_standard_probabilities(concentration, rate * x, || rate.ln() + x.ln())
}

/// The logarithms of [`standard_probabilities`].
pub(super) fn log_standard_probabilities(a: f64, y: f64, log: impl FnOnce() -> f64) -> [f64; 2] {
    if y < f64::MIN_POSITIVE && a > 0.0 {
        let log_lower = a * log() - if a < 1.0 { ln_gamma_1p(a) } else { ln_gamma(a + 1.0) };
        return [log_lower, ln_one_minus_exp(log_lower)];
    }
    ln_gamma_inc_both(a, y)
}

/// The quantile of a probability.
pub(super) fn icdf(q: f64, [concentration, rate]: [f64; 2]) -> f64 {
    let y = gamma_quantile(concentration, q);
    if y < f64::MIN_POSITIVE && concentration < 1.0 && q > 0.0 {
        return (log_small_quantile(concentration, q.ln()) - rate.ln()).exp();
    }
    y / rate
}

/// ln of the quantile for rate 1 and a concentration below 1 where it is too small for a number, of the
/// logarithm of a probability.
pub(super) fn log_small_quantile(concentration: f64, log_probability: f64) -> f64 {
    (log_probability + ln_gamma_1p(concentration)) / concentration
}

/// The entropy for rate 1: ½ ln(2πa) + δ(a) + (a − 1) (ln a − ψ(a)) with Stirling's correction δ, the
/// same as a + ln Γ(a) + (1 − a) ψ(a) without its cancellation.
pub(super) fn standard_entropy<const K: usize>(concentration: Dual<K>) -> Dual<K> {
    let a = concentration.value;
    let value = HALF_LN_TWO_PI + 0.5 * a.ln() + stirling_correction(a) + (a - 1.0) * ln_minus_digamma(a);
    concentration.map(value, standard_entropy_slope(a))
}

/// 1 + (1 − a) ψ′(a), the derivative of [`standard_entropy`]; for a large a by the expansion of ψ′, since
/// the terms cancel.
///
/// Source: Abramowitz and Stegun, *Handbook of Mathematical Functions*, 6.4.12.
pub(super) fn standard_entropy_slope(a: f64) -> f64 {
    if a < 60.0 {
        return 1.0 + (1.0 - a) * trigamma(a);
    }
    let r = 1.0 / a;
    let (third, thirtieth) = (1.0 / 3.0, 1.0 / 30.0);
    let series = [0.5, third, 0.5 * third, thirtieth, -thirtieth, -1.0 / 42.0, 1.0 / 42.0, thirtieth];
    r * polynomial(r, &series)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autodiff::grad;
    use crate::distribution::Distribution;
    use crate::rng::Rng;
    use crate::{Cpu, Tensor};

    #[test]
    fn the_density_at_zero_is_its_limit() {
        let at_zero = |a: f64| Gamma::<(), f64, Cpu>::new(a, 3.0).log_prob(&Tensor::scalar(0.0)).item();
        assert_eq!([at_zero(0.5), at_zero(1.5)], [f64::INFINITY, f64::NEG_INFINITY]);
        assert!((at_zero(1.0) - 3.0_f64.ln()).abs() < 1e-15);
    }

    #[test]
    fn tiny_draws_keep_a_finite_density() {
        let gamma = Gamma::<_, f32, Cpu>::filled((1000,), 1e-3, 1.0);
        let draws = gamma.draw(&mut Rng::seed(0));
        assert!(draws.to_vec().iter().filter(|&&x| x == f32::MIN_POSITIVE).count() > 850);
        assert!(gamma.log_prob(&draws).to_vec().iter().all(|l| l.is_finite()));
    }

    #[test]
    fn a_rate_brings_back_draws_that_underflow() {
        // Half of the standard draws are below 1e-301, and 76 of 100 above 1e-550.
        let gamma = Gamma::<_, f64, Cpu>::filled((100,), 1e-3, 1e-300);
        let draws = gamma.draw(&mut Rng::seed(0)).to_vec();
        assert!(draws.iter().filter(|&&x| x > 1e-250).count() > 60, "{draws:?}");
    }

    /// Values of mpmath.
    #[test]
    fn tails_keep_their_digits() {
        let at = Tensor::scalar;
        let upper = Gamma::<(), f64, Cpu>::new(3.0, 2.0).survival(&at(200.0)).unwrap().item();
        assert!((upper / 1.539_815_507_454_027_7e-169 - 1.0).abs() < 1e-12, "{upper:e}");
        // Where rate · x is no number.
        let tiny = Gamma::<(), f64, Cpu>::new(1e-3, 1e-300);
        let [lower, quantile] = [tiny.cdf(&at(1e-200)), tiny.icdf(&at(0.4))].map(|y| y.unwrap().item());
        assert!((lower - 0.316_410_090_216_972_6).abs() < 1e-14, "{lower}");
        assert!((quantile / 6.451_590_129_865_854e-99 - 1.0).abs() < 1e-12, "{quantile:e}");
    }

    /// Values of mpmath.
    #[test]
    fn the_entropy_of_large_concentrations_has_a_slope() {
        for (a, expected) in
            [(0.5, 3.467_401_100_272_34), (70.0, 7.211_371_630_668_661e-3), (1e8, 5.000_000_033_333_333e-9)]
        {
            assert!((standard_entropy_slope(a) / expected - 1.0).abs() < 1e-14, "{a}");
        }
    }

    #[test]
    fn draws_move_with_both_parameters() {
        let (a, rate) = (Tensor::scalar(0.5).tracked(), Tensor::scalar(2.0).tracked());
        let gamma = Gamma::<(), f64, Cpu>::new(&a, &rate);
        let (x, grads) = grad(|| gamma.draw(&mut Rng::seed(3)));
        assert_eq!(grads.get(&rate).unwrap().item(), -x.item() / 2.0);
        assert!(grads.get(&a).unwrap().item() > 0.0);
    }
}
