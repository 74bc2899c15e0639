//! In `f32`: ranges of reduction and series for 24 bits.

use std::f32::consts::LOG2_E;

/// ln 2 in two parts, the first with few enough bits that its small multiples are exact.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;

/// Adding this rounds to the nearest whole number, which is then in the low bits.
const ROUND: f32 = 12_582_912.0;

/// eˣ, within 2 units in the last place; 0 below −86.9 (where it is less than 2e-38), ∞
/// above 88.7, NaN for NaN.
#[inline(always)]
pub(in crate::dtype) fn exp(x: f32) -> f32 {
    let t = x * LOG2_E + ROUND;
    let whole = t - ROUND;
    let r = (x - whole * LN_2_HIGH) - whole * LN_2_LOW;
    // The Taylor series to r⁷/7!; |r| ≤ ln 2 / 2, so the rest is below 6e-9.
    let p = 1.0 / 5040.0;
    let p = p * r + 1.0 / 720.0;
    let p = p * r + 1.0 / 120.0;
    let p = p * r + 1.0 / 24.0;
    let p = p * r + 1.0 / 6.0;
    let p = p * r + 0.5;
    let p = (p * r) * r + r + 1.0;
    // The power of two by its bits, in two steps since 2¹²⁸ is no number.
    let half = f32::from_bits((t.to_bits() << 23).wrapping_add(0x3f00_0000));
    let y = p * half * 2.0;
    let y = if x < -86.9 { 0.0 } else { y };
    let y = if x > 88.72 { f32::INFINITY } else { y };
    if x.is_nan() { x } else { y }
}

/// ln(1 + x) for 0 ≤ x ≤ 1, within 2 units in the last place.
#[inline(always)]
pub(in crate::dtype) fn ln_1p_of_unit(x: f32) -> f32 {
    // 2 artanh(s) with s = x / (2 + x) ≤ 1/3: the series to s¹⁵/15 leaves less than 2e-9.
    let s = x / (2.0 + x);
    let q = s * s;
    let p = 1.0 / 15.0;
    let p = p * q + 1.0 / 13.0;
    let p = p * q + 1.0 / 11.0;
    let p = p * q + 1.0 / 9.0;
    let p = p * q + 1.0 / 7.0;
    let p = p * q + 0.2;
    let p = p * q + 1.0 / 3.0;
    2.0 * (s + s * (q * p))
}

/// 1 − e⁻ˣ for x ≥ 0, within 4 units in the last place: softplus's derivative by its value.
#[inline(always)]
pub(in crate::dtype) fn one_minus_exp_neg(x: f32) -> f32 {
    // Near 0 the difference would cancel: the series to x⁷/7! leaves less than 4e-8 of it.
    let p = 1.0 / 5040.0;
    let p = p * x - 1.0 / 720.0;
    let p = p * x + 1.0 / 120.0;
    let p = p * x - 1.0 / 24.0;
    let p = p * x + 1.0 / 6.0;
    let p = p * x - 0.5;
    let near = (p * x) * x + x;
    if x < 0.35 { near } else { 1.0 - exp(-x) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The distance from the exact value in units in the last place.
    fn ulps(found: f32, exact: f64) -> f64 {
        let near = exact as f32;
        let unit = f64::from(f32::from_bits(near.abs().to_bits() + 1)) - f64::from(near.abs());
        (f64::from(found) - exact).abs() / unit
    }

    #[test]
    fn exp_is_within_two_units_in_the_last_place() {
        let worst = (-86_900..88_720).map(|i| i as f32 * 1e-3).map(|x| ulps(exp(x), f64::from(x).exp()));
        let worst = worst.fold(0.0, f64::max);
        assert!(worst <= 2.0, "{worst}");
        assert_eq!((exp(0.0), exp(-1e4), exp(f32::NEG_INFINITY)), (1.0, 0.0, 0.0));
        assert_eq!((exp(1e4), exp(f32::INFINITY)), (f32::INFINITY, f32::INFINITY));
        assert!(exp(f32::NAN).is_nan());
    }

    #[test]
    fn ln_1p_is_within_two_units_in_the_last_place() {
        let worst = (1..=100_000).map(|i| i as f32 * 1e-5).map(|x| ulps(ln_1p_of_unit(x), f64::from(x).ln_1p()));
        let worst = worst.fold(0.0, f64::max);
        assert!(worst <= 2.0, "{worst}");
        assert_eq!((ln_1p_of_unit(0.0), ln_1p_of_unit(1e-30)), (0.0, 1e-30));
        assert!(ln_1p_of_unit(f32::NAN).is_nan());
    }

    #[test]
    fn one_minus_exp_neg_is_within_four_units_in_the_last_place() {
        let exact = |x: f32| -(-f64::from(x)).exp_m1();
        let worst = (1..=1_000_000).map(|i| i as f32 * 2e-5).map(|x| ulps(one_minus_exp_neg(x), exact(x)));
        let worst = worst.fold(0.0, f64::max);
        assert!(worst <= 4.0, "{worst}");
        assert_eq!((one_minus_exp_neg(0.0), one_minus_exp_neg(1e-30), one_minus_exp_neg(1e4)), (0.0, 1e-30, 1.0));
        assert!(one_minus_exp_neg(f32::NAN).is_nan());
    }
}
