//! The density proportional to e^(t x) on [0, 1], for any real t (and ±∞): what the continuous
//! Bernoulli distribution is by its log-odds. All of it is exact for tiny and for huge t.

use std::f64::consts::LN_2;

use crate::distributions::power::{ln_one_minus_exp, ln_one_minus_exp_of_exp};

/// Below this the series around t = 0 are exact to the last digits.
const NEAR: f64 = 1.0;

/// t x counted from its maximum: t x for t ≤ 0 and −t (1 − x) beyond; −∞ outside [0, 1].
#[inline(always)]
pub(super) fn log_weight(x: f64, t: f64) -> f64 {
    let distance = if t > 0.0 { 1.0 - x } else { x };
    if !(0.0..=1.0).contains(&x) {
        if x.is_nan() { x } else { f64::NEG_INFINITY }
    } else if distance == 0.0 {
        0.0
    } else {
        -t.abs() * distance
    }
}

/// The logarithm of the integral of that: ln((1 − e^−|t|) / |t|).
#[inline(always)]
pub(in crate::distributions) fn log_mass(t: f64) -> f64 {
    let t = t.abs();
    if t < 1e-15 { -0.5 * t } else { (-(-t).exp_m1() / t).ln() }
}

/// Σ cₖ t²ᵏ.
fn even(t: f64, coefficients: &[f64]) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * t * t + c)
}

/// The coefficients of (mean − ½) / t: B₂ₖ / (2k)!.
const MEAN: [f64; 10] = [
    1.0 / 12.0,
    -1.0 / 720.0,
    1.0 / 30240.0,
    -1.0 / 1_209_600.0,
    1.0 / 47_900_160.0,
    -5.284_190_138_687_493e-10,
    1.338_253_653_068_467_9e-11,
    -3.389_680_296_322_583e-13,
    8.586_062_056_277_844e-15,
    -2.174_868_698_558_062e-16,
];

/// The mean, 1 / (1 − e⁻ᵗ) − 1 / t.
pub(in crate::distributions) fn mean(t: f64) -> f64 {
    if t.abs() < NEAR {
        return 0.5 + t * even(t, &MEAN);
    }
    let below = |t: f64| t.recip() - t.exp_m1().recip();
    if t < 0.0 { below(-t) } else { 1.0 - below(t) }
}

/// The variance, which is the derivative of the mean: 1 / t² − 1 / (4 sinh² (t / 2)).
pub(in crate::distributions) fn variance(t: f64) -> f64 {
    let t = t.abs();
    if t < NEAR {
        let derivative: [f64; 10] = std::array::from_fn(|k| MEAN[k] * (2 * k + 1) as f64);
        return even(t, &derivative);
    }
    let rest = -(-t).exp_m1();
    t.recip().powi(2) - (-t).exp() / (rest * rest)
}

/// The derivative of the mean.
pub(super) fn mean_slope(t: f64) -> f64 {
    variance(t)
}

/// The derivative of the variance.
pub(super) fn variance_slope(t: f64) -> f64 {
    let far = t.abs();
    if far < NEAR {
        let derivative: [f64; 9] = std::array::from_fn(|k| MEAN[k + 1] * ((2 * k + 3) * (2 * k + 2)) as f64);
        return t * even(t, &derivative);
    }
    let (small, rest) = ((-far).exp(), -(-far).exp_m1());
    t.signum() * (small * (1.0 + small) / rest.powi(3) - 2.0 / far.powi(3))
}

/// The probability of a value at most x: (1 − e^(t x)) / (1 − eᵗ).
pub(super) fn cdf(x: f64, t: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 || t.abs() < 1e-20 {
        return x.clamp(0.0, 1.0);
    }
    let far = t.abs();
    let from_zero = (-far * x).exp_m1() / (-far).exp_m1();
    (if t > 0.0 { (-far * (1.0 - x)).exp() * from_zero } else { from_zero }).min(1.0)
}

/// The probability of a value above x, from the distance to 0 where the mass is there.
pub(super) fn survival(x: f64, t: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 || t.abs() < 1e-20 {
        return 1.0 - x.clamp(0.0, 1.0);
    }
    let far = t.abs();
    let from_one = (-far * (1.0 - x)).exp_m1() / (-far).exp_m1();
    (if t < 0.0 { (-far * x).exp() * from_one } else { from_one }).min(1.0)
}

/// The logarithms of the probabilities of a value at most and above x.
pub(super) fn logs(x: f64, t: f64) -> [f64; 2] {
    let far = t.abs();
    if x <= 0.0 || x >= 1.0 || far < 1e-20 {
        let x = x.clamp(0.0, 1.0);
        return [x.ln(), (-x).ln_1p()];
    }
    // ln (1 − e^(−far s)) over that for s = 1.
    let part = |s: f64| ln_one_minus_exp_of_exp(far.ln() + s.ln()) - ln_one_minus_exp(-far);
    let (below, above) = (part(x), part(1.0 - x));
    let (below, above) = if t > 0.0 { (below - far * (1.0 - x), above) } else { (below, above - far * x) };
    let near = |log: f64, rest: f64| if rest < -LN_2 { (-rest.exp()).ln_1p() } else { log };
    [near(below, above), near(above, below)]
}

/// The value whose cdf is q: NaN outside [0, 1].
pub(super) fn quantile(q: f64, t: f64) -> f64 {
    if !(0.0..=1.0).contains(&q) || t.is_nan() {
        return f64::NAN;
    }
    let far = t.abs();
    let x = if far < 1e-20 {
        q
    } else if far == f64::INFINITY {
        f64::from(t > 0.0)
    } else if t < 0.0 {
        -(q * (-far).exp_m1()).ln_1p() / far
    } else if far < 500.0 {
        (q * far.exp_m1()).ln_1p() / far
    } else {
        // ln(1 + q eᵗ) where eᵗ may overflow.
        let log = far + q.ln();
        (if log < 30.0 { log.exp().ln_1p() } else { log }) / far
    };
    x.clamp(0.0, 1.0)
}

/// dx/dt at a draw: (cdf of x under −t, less x) / t.
pub(super) fn draw_slope(x: f64, t: f64) -> f64 {
    if t.abs() >= 0.5 {
        return (cdf(x, -t) - x) / t;
    }
    // x (φ(t x) − φ(t)) / (t φ(t)) with φ(t) = (1 − e⁻ᵗ) / t = Σ (−t)ᵏ / (k + 1)!, where xᵏ − 1 has the
    // factor x − 1.
    let (mut sum, mut geometric, mut power, mut term) = (0.0, 0.0, 1.0, 0.5);
    for k in 1..16 {
        geometric += power;
        power *= x;
        sum += term * geometric;
        term *= -t / f64::from(k + 2);
    }
    let phi = if t == 0.0 { 1.0 } else { -(-t).exp_m1() / t };
    x * (1.0 - x) * sum / phi
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upper_tail_begins_at_the_smallest_numbers() {
        // e^(t x) for a t so large that 1 − x is 1.
        assert!((survival(1e-17, -1e17) / (-1.0_f64).exp() - 1.0).abs() < 1e-15);
        for (x, t) in [(0.25, -3.0), (0.5, 40.0), (0.9, 0.5)] {
            assert!((survival(x, t) + cdf(x, t) - 1.0).abs() < 1e-15, "{x}, {t}");
        }
    }

    #[test]
    fn series_meet_the_direct_forms() {
        let step = 1e-9;
        for f in [mean, variance, variance_slope, log_mass] {
            let (near, far) = (f(NEAR - step), f(NEAR + step));
            assert!((near - far).abs() < 1e-9, "{near}, {far}");
        }
        let (near, far) = (draw_slope(0.3, 0.5 - 1e-12), draw_slope(0.3, 0.5 + 1e-12));
        assert!((near - far).abs() < 1e-12, "{near}, {far}");
        assert!((quantile(1e-250, 499.999_999) - quantile(1e-250, 500.000_001)).abs() < 1e-8);
    }

    #[test]
    fn huge_tilts_are_exponentials_at_an_end() {
        assert!((cdf(1e-6, -1e6) + (-1.0_f64).exp_m1()).abs() < 1e-12);
        assert!((mean(1e6) - (1.0 - 1e-6)).abs() < 1e-15 && (mean(-1e6) - 1e-6).abs() < 1e-21);
        assert!((quantile(0.5, -1e6) / (std::f64::consts::LN_2 * 1e-6) - 1.0).abs() < 1e-12);
        assert_eq!([quantile(0.3, f64::INFINITY), quantile(0.3, f64::NEG_INFINITY)], [1.0, 0.0]);
    }
}
