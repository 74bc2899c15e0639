//! Logarithms of sums, differences and products that the plain formulas get wrong at the edges.

use std::f64::consts::LN_2;

/// ln(1 − e⁻ˣ): −∞ at 0, NaN below.
///
/// Source: Mächler, *Accurately computing log(1 − exp(−|a|))*, 2012.
pub(crate) fn log1mexp(x: f64) -> f64 {
    if x <= LN_2 { (-(-x).exp_m1()).ln() } else { (-(-x).exp()).ln_1p() }
}

/// x ln y, and 0 at x = 0 whatever y is but NaN.
pub(crate) fn xlogy(x: f64, y: f64) -> f64 {
    if x == 0.0 && !y.is_nan() { 0.0 } else { x * y.ln() }
}

/// The derivatives of [`xlogy`], of which none is NaN at x = 0: 0 where they do not exist.
pub(crate) fn xlogy_slopes(x: f64, y: f64) -> [f64; 2] {
    if x == 0.0 && !y.is_nan() { [if y > 0.0 { y.ln() } else { 0.0 }, 0.0] } else { [y.ln(), x / y] }
}

/// x ln(1 + y), and 0 at x = 0 whatever y is but NaN.
pub(crate) fn xlog1py(x: f64, y: f64) -> f64 {
    if x == 0.0 && !y.is_nan() { 0.0 } else { x * y.ln_1p() }
}

/// The derivatives of [`xlog1py`], as [`xlogy_slopes`].
pub(crate) fn xlog1py_slopes(x: f64, y: f64) -> [f64; 2] {
    if x == 0.0 && !y.is_nan() { [if y > -1.0 { y.ln_1p() } else { 0.0 }, 0.0] } else { [y.ln_1p(), x / (1.0 + y)] }
}

/// ln(eᵃ + eᵇ).
pub(crate) fn logaddexp(a: f64, b: f64) -> f64 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    // Two equal infinities, whose difference is NaN.
    if low == high { high + LN_2 } else { high + (low - high).exp().ln_1p() }
}

/// The share of eᵃ in eᵃ + eᵇ, the derivative of [`logaddexp`] in a: 0 where both are −∞, one half
/// where both are +∞.
pub(crate) fn logaddexp_share(a: f64, b: f64) -> f64 {
    if a == b {
        return if a == f64::NEG_INFINITY { 0.0 } else { 0.5 };
    }
    let e = (-(a - b).abs()).exp();
    if a > b { 1.0 / (1.0 + e) } else { e / (1.0 + e) }
}

/// ln(eᵃ − eᵇ): −∞ where b ≥ a.
pub(crate) fn logsubexp(a: f64, b: f64) -> f64 {
    if b >= a {
        f64::NEG_INFINITY
    } else if b == f64::NEG_INFINITY {
        a
    } else {
        a + log1mexp(a - b)
    }
}

/// The derivatives of [`logsubexp`]: 0 where it is −∞.
pub(crate) fn logsubexp_slopes(a: f64, b: f64) -> [f64; 2] {
    if b >= a { [0.0; 2] } else { [-(b - a).exp_m1().recip(), -(a - b).exp_m1().recip()] }
}

/// The logarithm of a probability that rounding may have left below 0, where it is −∞.
pub(crate) fn log_probability(p: f64) -> f64 {
    if p <= 0.0 { f64::NEG_INFINITY } else { p.ln() }
}

/// The logarithms of a probability and its complement: near 1 from the other.
pub(crate) fn log_of_pair([p, q]: [f64; 2]) -> [f64; 2] {
    let log = |p: f64, rest: f64| if p > 0.5 { (-rest).ln_1p() } else { log_probability(p) };
    [log(p, q), log(q, p)]
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAR: f64 = f64::INFINITY;

    #[test]
    fn edges_have_values_and_finite_slopes() {
        assert_eq!([log1mexp(0.0), log1mexp(FAR), log1mexp(1e-300)], [-FAR, 0.0, 1e-300_f64.ln()]);
        assert!(log1mexp(-1e-9).is_nan());
        for y in [0.0, -3.0, FAR, 2.0] {
            assert_eq!([xlogy(0.0, y), xlog1py(0.0, y - 1.0)], [0.0, 0.0]);
            assert_eq!([xlogy_slopes(0.0, y)[1], xlog1py_slopes(0.0, y - 1.0)[1]], [0.0, 0.0]);
        }
        assert_eq!([xlogy_slopes(0.0, 0.0)[0], xlog1py_slopes(0.0, -1.0)[0]], [0.0, 0.0]);
        assert_eq!([xlogy(2.0, 0.0), xlog1py(2.0, -1.0)], [-FAR, -FAR]);
        assert!(xlogy(0.0, f64::NAN).is_nan() && xlog1py(0.0, f64::NAN).is_nan() && xlogy(f64::NAN, 0.5).is_nan());
    }

    #[test]
    fn a_difference_with_infinities_is_sound() {
        assert_eq!([logsubexp(-FAR, -FAR), logsubexp(0.5, 0.5), logsubexp(0.5, 1.0)], [-FAR; 3]);
        assert_eq!([logsubexp_slopes(-FAR, -FAR), logsubexp_slopes(0.5, 0.5)], [[0.0; 2]; 2]);
        assert_eq!((logsubexp(-3.0, -FAR), logsubexp_slopes(-3.0, -FAR)), (-3.0, [1.0, -0.0]));
        // ln(3 − 1), far below what a number can hold.
        assert!((logsubexp(3.0_f64.ln() - 1000.0, -1000.0) - (LN_2 - 1000.0)).abs() < 1e-12);
        let [of_a, of_b] = logsubexp_slopes(3.0_f64.ln() - 1000.0, -1000.0);
        assert!((of_a - 1.5).abs() < 1e-12 && (of_b + 0.5).abs() < 1e-12);
        assert!(logsubexp(f64::NAN, 0.0).is_nan() && logsubexp(0.0, f64::NAN).is_nan());
        assert_eq!([log_probability(-1e-17), log_probability(0.0), log_probability(1.0)], [-FAR, -FAR, 0.0]);
        assert!(log_probability(f64::NAN).is_nan());
    }

    #[test]
    fn a_sum_with_infinities_is_sound() {
        assert_eq!([logaddexp(-FAR, -FAR), logaddexp(FAR, FAR), logaddexp(FAR, -FAR)], [-FAR, FAR, FAR]);
        assert_eq!([logaddexp(-FAR, 0.5), logaddexp(1e308, -1e308)], [0.5, 1e308]);
        let shares = |a, b| [logaddexp_share(a, b), logaddexp_share(b, a)];
        assert_eq!([shares(-FAR, -FAR), shares(FAR, FAR)], [[0.0, 0.0], [0.5, 0.5]]);
        assert_eq!([shares(-FAR, 1.0), shares(FAR, 1.0), shares(FAR, -FAR)], [[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]]);
        assert!(logaddexp(f64::NAN, 0.0).is_nan() && logaddexp(0.0, f64::NAN).is_nan());
        assert!(shares(f64::NAN, 0.0).iter().all(|s| s.is_nan()));
    }
}
