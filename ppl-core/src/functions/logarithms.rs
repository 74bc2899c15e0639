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
