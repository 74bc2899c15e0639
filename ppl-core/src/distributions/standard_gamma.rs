//! The gamma distribution of rate 1: draws, as logarithms too, and their derivative with respect to
//! the concentration. Gamma, beta, Dirichlet and Student's t draw with it.

use rand::Rng as _;
use rand_distr::{Exp1, StandardNormal};

use crate::functions::gamma_function::polynomial;
use crate::functions::incomplete_gamma::gamma_pathwise_log;
use crate::rng::Rng;

/// No right sampler needs as many: each trial is accepted with probability 0.95 at least.
const TRIALS: usize = 200;

/// A draw of concentration ≥ 1 as d · (1 + w)³: gives d and w, NaN where no trial is accepted, which
/// only invalid concentrations do.
///
/// Source: Marsaglia and Tsang, *A simple method for generating gamma variables*, ACM Transactions
/// on Mathematical Software 26, 2000. The test before the logarithms is our own: the series
/// 3 d (−w⁴/4 + w⁵/5 − …) of ln(acceptance) is at least −1.3 d w⁴ for w ≥ −1/2, and eˣ ≥ 1 + x.
#[inline]
fn cube(concentration: f64, rng: &mut Rng) -> (f64, f64) {
    let d = concentration - 1.0 / 3.0;
    let scale = 1.0 / (9.0 * d).sqrt();
    for _ in 0..TRIALS {
        let z: f64 = rng.sample(StandardNormal);
        let w = z * scale;
        if w <= -1.0 {
            continue;
        }
        let u: f64 = rng.r#gen();
        if (w > -0.5 && u < 1.0 - 1.3 * d * (w * w) * (w * w)) || u.ln() < log_acceptance(z, w, d) {
            return (d, w);
        }
    }
    (d, f64::NAN)
}

/// z²/2 + d − d (1 + w)³ + 3 d ln(1 + w), whose terms up to w³ cancel: 3 d w² is z²/3.
#[cold]
#[inline(never)]
fn log_acceptance(z: f64, w: f64, d: f64) -> f64 {
    if w.abs() > 0.01 {
        return 3.0 * d * (w.ln_1p() - w * (1.0 - w * (0.5 - w / 3.0)));
    }
    let tail = [-1.0 / 4.0, 1.0 / 5.0, -1.0 / 6.0, 1.0 / 7.0, -1.0 / 8.0, 1.0 / 9.0];
    z * z / 3.0 * w * w * polynomial(w, &tail)
}

/// A draw of the gamma distribution with rate 1. It is 0 where it is less than the smallest number,
/// as most draws are for concentrations below 1e-3; [`log_standard_gamma`] never loses one.
///
/// NaN for a concentration that is NaN or negative.
#[inline]
pub(super) fn standard_gamma(concentration: f64, rng: &mut Rng) -> f64 {
    if concentration < 1.0 {
        return log_standard_gamma(concentration, rng).exp();
    }
    let (d, w) = cube(concentration, rng);
    d * (1.0 + w) * (1.0 + w) * (1.0 + w)
}

/// The logarithm of a draw of the gamma distribution with rate 1. A concentration below 1 is raised
/// by 1, and the draw multiplied by U^(1 / concentration).
///
/// NaN for a concentration that is NaN or negative, −∞ for 0.
pub(super) fn log_standard_gamma(concentration: f64, rng: &mut Rng) -> f64 {
    if concentration < 0.0 {
        return f64::NAN;
    }
    let raised = concentration < 1.0;
    let (d, w) = cube(if raised { concentration + 1.0 } else { concentration }, rng);
    let log = d.ln() + 3.0 * w.ln_1p();
    if raised { log - rng.sample::<f64, _>(Exp1) / concentration } else { log }
}

/// d ln x / d concentration at a draw x of the gamma distribution with rate 1, with its cdf held
/// fixed: −(∂F/∂concentration) / (x · density). It takes ln x, which exists where x underflows.
///
/// Source: Figurnov, Mohamed, Mnih, *Implicit reparameterization gradients*, 2018.
#[inline]
pub(super) fn log_standard_gamma_slope(log_x: f64, concentration: f64) -> f64 {
    gamma_pathwise_log(log_x, concentration)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::functions::gamma_function::{digamma, trigamma};

    /// Rows of one table of `scripts/reference_pathwise.py`.
    pub(in crate::distributions) fn rows(table: &str) -> Vec<Vec<f64>> {
        let text = include_str!("../../tests/references/pathwise.json");
        let tables: serde_json::Value = serde_json::from_str(text).expect("JSON");
        let rows: Vec<Vec<String>> = serde_json::from_value(tables[table].clone()).expect("rows of text");
        rows.iter().map(|row| row.iter().map(|x| x.parse().expect("a number")).collect()).collect()
    }

    #[test]
    fn slopes_equal_mpmath() {
        for row in rows("log_standard_gamma") {
            let found = log_standard_gamma_slope(row[0], row[1]);
            // The rounding of ln x is a rounding of a · ln x in the derivative's logarithm.
            let tolerance = 1e-12 + 1e-15 * (row[0].exp() - row[1]).abs().min(row[1]);
            assert!((found / row[2] - 1.0).abs() < tolerance, "{row:?}: {found}, {:e}", found / row[2] - 1.0);
        }
    }

    /// Mean and variance of ln x are ψ(a) and ψ′(a). A right sampler is off by 5 standard errors with
    /// probability 6e-7 for each of the means; the variance has a heavier tail, and 7 of its own.
    #[test]
    fn logarithms_of_draws_have_the_right_moments() {
        let n = 40_000;
        for a in [1e-300, 1e-3, 0.3, 0.999, 1.0, 2.5, 1e3, 1e10, 1e20] {
            let mut rng = Rng::seed(1);
            let scale = if a > 1.0 { f64::sqrt(a) } else { a };
            let z: Vec<f64> = (0..n).map(|_| scale * (log_standard_gamma(a, &mut rng) - digamma(a))).collect();
            let n = f64::from(n);
            let (mean, square) = (z.iter().sum::<f64>() / n, z.iter().map(|z| z * z).sum::<f64>() / n);
            let fourth = z.iter().map(|z| z.powi(4)).sum::<f64>() / n;
            // trigamma(1e-300) overflows: there it is 1 / a².
            let variance = if a < 1e-100 { 1.0 } else { scale * scale * trigamma(a) };
            assert!(mean.abs() < 5.0 * (variance / n).sqrt() + scale * 2e-14, "{a}: mean {mean}");
            assert!((square - variance).abs() < 7.0 * (fourth / n).sqrt(), "{a}: variance {square}, {variance}");
        }
    }

    #[test]
    fn what_is_accepted_without_logarithms_is_acceptable() {
        for d in [2.0 / 3.0, 1.0, 30.0, 1e8_f64] {
            for w in (-499..=4000).map(|i| f64::from(i) * 1e-3) {
                let (z, bound) = (w * (9.0 * d).sqrt(), 1.0 - 1.3 * d * w.powi(4));
                assert!(bound <= log_acceptance(z, w, d).exp() * (1.0 + 1e-15), "{d}, {w}");
            }
        }
    }

    #[test]
    fn draws_are_those_of_their_logarithms() {
        for a in [0.05, 0.7, 1.0, 30.0] {
            let (mut first, mut second) = (Rng::seed(4), Rng::seed(4));
            for _ in 0..100 {
                let (x, log) = (standard_gamma(a, &mut first), log_standard_gamma(a, &mut second));
                assert!((x.ln() - log).abs() < 1e-12 * log.abs().max(1.0), "{a}: {x}, {log}");
            }
        }
    }

    #[test]
    fn hostile_concentrations_end() {
        let mut rng = Rng::seed(0);
        for a in [f64::NAN, -1.0, f64::NEG_INFINITY] {
            assert!(standard_gamma(a, &mut rng).is_nan() && log_standard_gamma(a, &mut rng).is_nan());
        }
        assert_eq!((standard_gamma(0.0, &mut rng), standard_gamma(5e-324, &mut rng)), (0.0, 0.0));
        assert!(standard_gamma(1e308, &mut rng).is_finite());
    }
}
