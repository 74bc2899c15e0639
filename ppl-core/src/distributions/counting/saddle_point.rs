//! Poisson and binomial masses as Stirling's corrections and deviances, which are all of one sign
//! and lose no digits however large the counts are.
//!
//! Source: Loader, *Fast and accurate computation of binomial probabilities*, 2000.

use crate::distributions::deviance::deviance;
use crate::functions::gamma_function::{HALF_LN_TWO_PI, stirling_correction};

/// [`stirling_correction`] of the whole numbers from 1, found with mpmath.
const CORRECTIONS: [f64; 15] = [
    0.081_061_466_795_327_26,
    0.041_340_695_955_409_3,
    0.027_677_925_684_998_34,
    0.020_790_672_103_765_093,
    0.016_644_691_189_821_193,
    0.013_876_128_823_070_748,
    0.011_896_709_945_891_77,
    0.010_411_265_261_972_096,
    0.009_255_462_182_712_733,
    0.008_330_563_433_362_87,
    0.007_573_675_487_951_841,
    0.006_942_840_107_209_53,
    0.006_408_994_188_004_207,
    0.005_951_370_112_758_847_5,
    0.005_554_733_551_962_801,
];

/// [`stirling_correction`], from a table where it has the number.
#[inline]
fn correction(x: f64) -> f64 {
    let known = x <= CORRECTIONS.len() as f64 && x >= 1.0 && x == x.floor();
    if known { CORRECTIONS[x as usize - 1] } else { stirling_correction(x) }
}

/// x ln(x / m) + m − x ≥ 0, from `gap` = m − x and ln(m / x), which is asked for only where it is
/// not small.
#[inline]
fn deviance_from(x: f64, gap: f64, log_ratio: impl FnOnce() -> f64) -> f64 {
    deviance(x, 1.0 + gap / x, gap, log_ratio).0
}

/// ln(rateˣ e^(−rate) / x!) for a whole x ≥ 0 and rate ≥ 0.
#[inline]
pub(in crate::distributions) fn log_poisson(x: f64, rate: f64) -> f64 {
    if x == 0.0 || rate == 0.0 {
        return if x == 0.0 { -rate } else { f64::NEG_INFINITY };
    }
    -correction(x) - deviance_from(x, rate - x, || rate.ln() - x.ln()) - (HALF_LN_TWO_PI + 0.5 * x.ln())
}

/// y p − x q for p + q = 1, exact where it is small: by way of the smaller of p and q, whose complement
/// may be rounded, as (x + y) p − x with what each operation loses added back.
#[inline]
pub(in crate::distributions) fn gap(x: f64, y: f64, p: f64, q: f64) -> f64 {
    if p > q {
        return -gap(y, x, q, p);
    }
    let (a, b) = (y * p, x * p);
    let lost = y.mul_add(p, -a) + x.mul_add(p, -b);
    let sum = a + b;
    let rest = sum - a;
    (sum - x) + (((a - (sum - rest)) + (b - rest)) + lost)
}

/// ln(Γ(x + y + 1) / (Γ(x + 1) Γ(y + 1)) · pˣ qʸ) for real x, y ≥ 0 and q = 1 − p, from the
/// logarithms of p and q and [`gap`], the distance from x to its mean.
#[inline]
pub(in crate::distributions) fn log_binomial(
    x: f64,
    y: f64,
    gap: f64,
    ln_p: impl FnOnce() -> f64,
    ln_q: impl FnOnce() -> f64,
) -> f64 {
    if x == 0.0 {
        return super::times(y, ln_q());
    }
    if y == 0.0 {
        return x * ln_p();
    }
    let n = (x + y).min(f64::MAX);
    let (ln_x, ln_y, ln_n) = (x.ln(), y.ln(), n.ln());
    let away = deviance_from(x, gap, || ln_n - ln_x + ln_p()) + deviance_from(y, -gap, || ln_n - ln_y + ln_q());
    let width = 0.5 * ((ln_n - ln_x) - ln_y) - HALF_LN_TWO_PI;
    correction(n) - correction(x) - correction(y) - away + width
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::gamma_function::ln_gamma;

    #[test]
    fn small_masses_are_those_of_the_textbook() {
        for (x, y, p) in [(0.0, 7.0, 0.3), (1.0, 2.0, 0.9), (20.0, 3.0, 0.5), (2.5, 0.25, 0.1), (12.0, 0.0, 0.01)] {
            let q = 1.0 - p;
            let expected = ln_gamma(x + y + 1.0) - ln_gamma(x + 1.0) - ln_gamma(y + 1.0) + x * f64::ln(p) + y * q.ln();
            let found = log_binomial(x, y, y * p - x * q, || p.ln(), || q.ln());
            assert!((found - expected).abs() < 1e-13 * expected.abs().max(1.0), "{x}, {y}, {p}: {found}, {expected}");
        }
        for (x, rate) in [(0.0, 3.0), (1.0, 1e-300), (17.0, 12.5), (3.0, 500.0)] {
            let expected = x * f64::ln(rate) - rate - ln_gamma(x + 1.0);
            let found = log_poisson(x, rate);
            assert!((found - expected).abs() < 1e-13 * expected.abs().max(1.0), "{x}, {rate}: {found}, {expected}");
        }
    }

    #[test]
    fn counts_beyond_the_whole_floats_have_a_width() {
        // At its mean the Poisson mass is 1 / √(2π rate).
        for rate in [1e12, 1e100, 1e300] {
            let expected = -HALF_LN_TWO_PI - 0.5 * f64::ln(rate);
            assert!((log_poisson(rate, rate) - expected).abs() < 1e-12, "{rate}");
        }
    }
}
