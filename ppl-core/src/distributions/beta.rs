//! The beta distribution.

use std::sync::Arc;

use num_traits::clamp;

use crate::backend::Backend;
use crate::constraint::{Constraint, Positive, Support, UNIT_INTERVAL};
use crate::dtype::Dtype;
use crate::functions::gamma_function::{HALF_LN_TWO_PI, ln_minus_digamma, stirling_correction, trigamma};
use crate::functions::incomplete_beta::{beta_inc_both, beta_pathwise, beta_quantile, ln_beta_inc_both};
use crate::rng::Rng;
use crate::tensor::Flat;

use super::deviance::deviance;
use super::gamma::standard_entropy_slope;
use super::standard_gamma::{log_standard_gamma, standard_gamma};
use super::univariate::{Curve, Dual, Moment, Sampler, Univariate, univariate};

univariate! {
    /// The beta distribution on the unit interval; `concentration1` pulls towards 1 and
    /// `concentration0` towards 0. The mean is concentration1 / (concentration1 + concentration0).
    ///
    /// Density, with a and b for the two: x^(a − 1) · (1 − x)^(b − 1) / B(a, b) for 0 ≤ x ≤ 1. It is
    /// infinite at 0 where a < 1, and at 1 where b < 1.
    ///
    /// Draws carry gradients to both parameters. A draw so near an end that the dtype cannot tell them
    /// apart becomes the smallest normal number, or the largest below 1, so that the density at draws
    /// stays finite.
    ///
    /// Shapes: both parameters have the batch's shape, or one number for all of it.
    ///
    /// ```
    /// use ppl_core::{Tensor, distribution::Distribution, distributions::Beta};
    /// let share = Beta::new(Tensor::<_, f64>::from([1.0, 6.0]), 2.0);
    /// assert_eq!(share.mean().unwrap().to_vec(), [1.0 / 3.0, 0.75]);
    /// ```
    ///
    /// Reference: Johnson, Kotz, Balakrishnan, *Continuous Univariate Distributions* II, ch. 25;
    /// gradients of draws: Figurnov, Mohamed, Mnih, *Implicit reparameterization gradients*, 2018.
    Beta, 2, 3;
    /// The concentration towards 1.
    concentration1,
    /// The concentration towards 0.
    concentration0,
}

/// The family.
#[derive(Clone, Copy)]
pub(super) struct Law;

/// n x − a with n = a + b, exact where it is small against a: as (a + b) x − a or b x − a (1 − x),
/// whichever has 1 − x exact, with the rounding of both products added back.
fn distance(x: f64, [a, b]: [f64; 2]) -> f64 {
    let p = b * x;
    let lost = b.mul_add(x, -p);
    if x < 0.5 {
        let q = a * x;
        (p - a) + q + (lost + a.mul_add(x, -q))
    } else {
        let y = 1.0 - x;
        let q = a * y;
        (p - q) + (lost - a.mul_add(y, -q))
    }
}

/// The deviances of n x from a and of n (1 − x) from b, with ln (x / mean) and ln ((1 − x) / (1 − mean)).
fn deviances(x: f64, [a, b]: [f64; 2]) -> (f64, [f64; 2]) {
    let d = distance(x, [a, b]);
    let share = |of: f64, other: f64| {
        let ratio = other / of;
        if ratio.is_finite() { ratio.ln_1p() } else { other.ln() - of.ln() }
    };
    let (of_x, log_x) = deviance(a, 1.0 + d / a, d, || x.ln() + share(a, b));
    let (of_y, log_y) = deviance(b, 1.0 - d / b, -d, || (-x).ln_1p() + share(b, a));
    (of_x + of_y, [log_x, log_y])
}

/// ln of the density at an end, that of the value whose power is `here` − 1.
fn log_density_at_end(here: f64, other: f64) -> f64 {
    if here < 1.0 {
        f64::INFINITY
    } else if here > 1.0 {
        f64::NEG_INFINITY
    } else {
        // NaN stays NaN.
        other.ln() * here
    }
}

/// (power − 1) / x, 0 for a power of 1 at 0.
fn power_slope(power: f64, x: f64) -> f64 {
    if power == 1.0 { 0.0 } else { (power - 1.0) / x }
}

impl Univariate<2> for Law {
    fn domains<E: Dtype, D: Backend<E>>() -> [&'static dyn Constraint<E, D>; 2] {
        [&Positive, &Positive]
    }

    fn support<E: Dtype, D: Backend<E>>(_: impl FnOnce() -> [Flat<E, D>; 2]) -> Support<E, D> {
        Arc::new(UNIT_INTERVAL)
    }

    fn log_kernel(x: f64, [a, b]: [f64; 2]) -> f64 {
        if !(0.0..=1.0).contains(&x) {
            return if x.is_nan() { x } else { f64::NEG_INFINITY };
        }
        if x == 0.0 || x == 1.0 {
            let (here, other) = if x == 0.0 { (a, b) } else { (b, a) };
            let value = log_density_at_end(here, other);
            return if value.is_infinite() { value } else { value + Self::log_normalizer([a, b]) };
        }
        -deviances(x, [a, b]).0 - x.ln() - (-x).ln_1p()
    }

    fn log_kernel_slopes(x: f64, [a, b]: [f64; 2]) -> (f64, [f64; 2]) {
        let (_, logs) = deviances(x, [a, b]);
        (power_slope(a, x) - power_slope(b, 1.0 - x), logs)
    }

    fn log_normalizer([a, b]: [f64; 2]) -> f64 {
        let sum = a + b;
        let correction = stirling_correction(a) + stirling_correction(b) - stirling_correction(sum);
        HALF_LN_TWO_PI + 0.5 * (sum.ln() - a.ln() - b.ln()) + correction
    }

    fn log_normalizer_slopes([a, b]: [f64; 2]) -> [f64; 2] {
        let both = ln_minus_digamma(a + b);
        [both - ln_minus_digamma(a), both - ln_minus_digamma(b)]
    }

    fn rounded<E: Dtype>(x: E) -> E {
        clamp(x, E::min_positive_value(), E::of(1.0) - E::epsilon() * E::of(0.5))
    }

    const SAMPLER: Sampler<2> = Sampler::Direct(draw);
    const PATHWISE: Option<fn(f64, [f64; 2]) -> [f64; 2]> = Some(|x, [a, b]| beta_pathwise(x, a, b));
    const CDF: Option<Curve<2>> = Some(|x, parameters| probabilities(x, parameters)[0]);
    const SURVIVAL: Option<Curve<2>> = Some(|x, parameters| probabilities(x, parameters)[1]);
    const LOG_CDF: Option<Curve<2>> = Some(|x, parameters| log_probabilities(x, parameters)[0]);
    const LOG_SURVIVAL: Option<Curve<2>> = Some(|x, parameters| log_probabilities(x, parameters)[1]);
    const ICDF: Option<Curve<2>> = Some(|q, [a, b]| beta_quantile(a, b, q));
    const MEAN: Option<Moment<2>> = Some(|[a, b]| a / (a + b));
    const VARIANCE: Option<Moment<2>> = Some(|[a, b]| (a / (a + b)) * (b / (a + b)) / (a + b + 1.0));
    const ENTROPY: Option<Moment<2>> = Some(entropy);
}

/// Two gamma draws' share, from their logarithms where they may underflow.
fn draw([a, b]: [f64; 2], rng: &mut Rng) -> f64 {
    if a < 1.0 || b < 1.0 {
        let logit = log_standard_gamma(a, rng) - log_standard_gamma(b, rng);
        return 1.0 / (1.0 + (-logit).exp());
    }
    let (x, y) = (standard_gamma(a, rng), standard_gamma(b, rng));
    x / (x + y)
}

/// The probabilities of a value at most and above x.
fn probabilities(x: f64, [a, b]: [f64; 2]) -> [f64; 2] {
    let x = x.clamp(0.0, 1.0);
    beta_inc_both(a, b, [x, 1.0 - x])
}

/// Their logarithms.
fn log_probabilities(x: f64, [a, b]: [f64; 2]) -> [f64; 2] {
    let x = x.clamp(0.0, 1.0);
    ln_beta_inc_both(a, b, [x, 1.0 - x])
}

/// ln B(a, b) − (a − 1) ψ(a) − (b − 1) ψ(b) + (n − 2) ψ(n) for n = a + b, with Stirling's formula taken
/// out of all of them: in m(x) = ln x − ψ(x) and the normaliser's corrections nothing cancels.
fn entropy([a, b]: [Dual<2>; 2]) -> Dual<2> {
    let ([p, q], n) = ([a.value, b.value], a.value + b.value);
    let rise = |x: f64| (x - 1.0) * (ln_minus_digamma(x) - ln_minus_digamma(n));
    let value = Law::log_normalizer([p, q]) + p.ln() + q.ln() - 2.0 * n.ln() + rise(p) + rise(q);
    // (power − 1) (ψ′(n) − ψ′(power)) + (other − 1) ψ′(n) without its cancellation.
    let along = |power: f64| standard_entropy_slope(power) - standard_entropy_slope(n) - trigamma(n);
    a.map(0.0, along(p)) + b.map(0.0, along(q)) + value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::Distribution;
    use crate::{Cpu, Tensor};

    use super::super::standard_gamma::tests::rows;

    #[test]
    fn the_density_at_the_ends_is_its_limit() {
        let at = |x: f64, a: f64, b: f64| Beta::<(), f64, Cpu>::new(a, b).log_prob(&Tensor::scalar(x)).item();
        assert_eq!([at(0.0, 0.5, 2.0), at(0.0, 1.5, 2.0)], [f64::INFINITY, f64::NEG_INFINITY]);
        assert_eq!([at(1.0, 0.5, 0.2), at(1.0, 0.5, 2.0)], [f64::INFINITY, f64::NEG_INFINITY]);
        assert!((at(0.0, 1.0, 3.0) - 3.0_f64.ln()).abs() < 1e-15 && at(1.0, 1.0, 1.0).abs() < 1e-15);
    }

    /// Values of mpmath.
    #[test]
    fn the_upper_tail_keeps_its_digits() {
        let x = 1.0 - 0.5_f64.powi(30);
        let beyond = Beta::<(), f64, Cpu>::new(2.0, 3.5).survival(&Tensor::scalar(x)).unwrap().item();
        assert!((beyond / 1.109_335_647_163_431_2e-31 - 1.0).abs() < 1e-13, "{beyond:e}");
    }

    /// Values of mpmath.
    #[test]
    fn the_entropy_of_large_concentrations_has_a_slope() {
        for (a, b, expected) in [(2.0, 3.0, 0.019_034_800_363_119_54), (1e6, 1e8, 4.851_488_481_032_938e-7)] {
            let slope = entropy(Dual::variables([a, b])).slopes[0];
            assert!((slope / expected - 1.0).abs() < 1e-13, "{a}, {b}: {slope:e}");
        }
    }

    #[test]
    fn draws_stay_off_the_ends() {
        let beta = Beta::<_, f32, Cpu>::filled((1000,), 1e-3, 1e-3);
        let draws = beta.draw(&mut Rng::seed(0));
        assert!(draws.to_vec().iter().all(|&x| x > 0.0 && x < 1.0));
        assert!(beta.log_prob(&draws).to_vec().iter().all(|l| l.is_finite()));
    }

    #[test]
    fn equal_large_concentrations_keep_their_digits() {
        // ln density at the mode is ½ ln(4 n / 2π) for n = 2e10 to 1 part in n, by Stirling's formula.
        let beta = Beta::<(), f64, Cpu>::new(1e10, 1e10);
        let expected = 0.5 * (4.0 * 2e10 / std::f64::consts::TAU).ln();
        assert!((beta.log_prob(&Tensor::scalar(0.5)).item() - expected).abs() < 1e-10);
    }

    /// Values of mpmath, by the finite sum for a whole b.
    #[test]
    fn a_large_concentration_beside_a_small_one() {
        for (k, cdf, log_prob) in [
            (30.0, 0.470_892_851_628_445_35, 16.988_491_276_086_705),
            (3.0, 0.997_047_750_192_845_6, 14.897_892_055_055_664),
        ] {
            let (beta, x) = (Beta::<(), f64, Cpu>::new(1e8, 3.0), Tensor::scalar(1.0 - k * 0.5_f64.powi(30)));
            assert!((beta.cdf(&x).unwrap().item() - cdf).abs() < 1e-12, "{k}: {:?}", beta.cdf(&x));
            assert!((beta.log_prob(&x).item() - log_prob).abs() < 1e-12, "{k}: {:?}", beta.log_prob(&x));
        }
    }

    /// Against mean + z · standard deviation, from which it differs by a part in n.
    #[test]
    fn draws_of_huge_concentrations_move_as_normal_ones() {
        for a in [1e8, 1e10] {
            let n = 2.0 * a;
            for z in [-3.0, 0.0, 1.0] {
                let off = 0.5 * z / f64::sqrt(n + 1.0);
                let [found, other] = Law::PATHWISE.expect("it has")(0.5 + off, [a, a]);
                let expected = [(1.0 - off) / (2.0 * n), -(1.0 + off) / (2.0 * n)];
                assert!((found / expected[0] - 1.0).abs() < 1e-6, "{a}, {z}: {found:e}, {:e}", expected[0]);
                assert!((other / expected[1] - 1.0).abs() < 1e-6, "{a}, {z}: {other:e}, {:e}", expected[1]);
            }
        }
    }

    #[test]
    fn draws_move_as_mpmath_says() {
        for row in rows("beta") {
            let [x, a, b] = [row[0], row[1], row[2]];
            let found = Law::PATHWISE.expect("it has")(x, [a, b]);
            for (found, logit_slope) in found.into_iter().zip(&row[3..]) {
                let expected = x * (1.0 - x) * logit_slope;
                // The mean and the width of large concentrations are as exact as x.
                let tolerance = 1e-11 + 1e-15 * (a + b).sqrt();
                assert!((found / expected - 1.0).abs() < tolerance, "{row:?}: {found}, {expected}");
            }
        }
    }

    // mpmath, 30 digits.
    #[test]
    fn quantiles_far_from_nearly_all_mass() {
        let at = |a: f64, b: f64| Beta::<(), f64, Cpu>::new(a, b).icdf(&Tensor::scalar(1e-12)).unwrap().item();
        let near = |found: f64, expected: f64| (found / expected - 1.0).abs() < 1e-10;
        assert!(near(at(5.312617368233476, 4.962903597348209e-6), 0.074_283_494_748_329_2));
        assert!(near(at(2.133351473339062, 2.3754673047535588e-5), 4.975_302_765_835_825e-4));
    }
}
