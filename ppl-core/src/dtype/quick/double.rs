//! In `f64`: ranges of reduction and series for 53 bits.

use std::f64::consts::LOG2_E;

/// ln 2 in two parts, the first with few enough bits that its multiples up to 2¹¹ are exact.
const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// Adding this rounds to the nearest whole number, which is then in the low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// √½ as bits.
const SQRT_HALF_BITS: u64 = 0x3fe6_a09e_667f_3bcd;

/// 2⁵².
const TWO_TO_52: f64 = 4_503_599_627_370_496.0;

/// 2⁵⁴.
const TWO_TO_54: f64 = 18_014_398_509_481_984.0;

/// 2ⁿ for the n that was added to [`ROUND`], between −1022 and 1023.
#[inline(always)]
fn power_of_two(rounded: f64) -> f64 {
    f64::from_bits((rounded.to_bits() << 52).wrapping_add(1023 << 52))
}

/// Σ cₖ xᵏ in pairs (Estrin's scheme), so that few multiplications wait for one another.
#[inline(always)]
fn degree_nine(x: f64, c: [f64; 10]) -> f64 {
    let (x2, pair) = (x * x, |k: usize| c[k] + c[k + 1] * x);
    let x4 = x2 * x2;
    (pair(0) + pair(2) * x2) + ((pair(4) + pair(6) * x2) + pair(8) * x4) * x4
}

/// eˣ, within 2 units in the last place; ∞ above 709.79, NaN for NaN.
#[inline(always)]
pub(in crate::dtype) fn exp(x: f64) -> f64 {
    let near = if x < -746.0 { -746.0 } else { x };
    let near = if near > 710.0 { 710.0 } else { near };
    let whole = (near * LOG2_E + ROUND) - ROUND;
    let r = (near - whole * LN_2_HIGH) - whole * LN_2_LOW;
    // (eʳ − 1 − r) / r² for |r| ≤ ln 2 / 2 by Chebyshev's interpolation, within 1.1e-16.
    let p = degree_nine(
        r,
        [
            0.500_000_000_000_000_1,
            0.166_666_666_666_666_69,
            0.041_666_666_666_624_13,
            0.008_333_333_333_330_062,
            0.001_388_888_891_721_371_7,
            0.000_198_412_698_630_536_18,
            2.480_152_129_595_437_6e-5,
            2.755_726_845_999_706_4e-6,
            2.762_008_844_540_974_6e-7,
            2.510_038_549_551_032e-8,
        ],
    );
    let p = (p * r) * r + r + 1.0;
    // The power of two in two steps: it may be larger than the largest, and less than the smallest
    // normal number.
    let half = whole * 0.5 + ROUND;
    let rest = (whole - (half - ROUND)) + ROUND;
    let y = p * power_of_two(half) * power_of_two(rest);
    if x.is_nan() { x } else { y }
}

/// (artanh(s) / s − 1) / s² for |s| ≤ 1/3, given s²: by Chebyshev's interpolation, within 5e-17.
#[inline(always)]
fn artanh_rest(square: f64) -> f64 {
    degree_nine(
        square,
        [
            0.333_333_333_333_333_3,
            0.200_000_000_000_072_92,
            0.142_857_142_835_543_8,
            0.111_111_113_587_139_32,
            0.090_908_947_180_664_29,
            0.076_927_850_324_793_12,
            0.066_570_721_048_274_68,
            0.060_005_364_047_953_56,
            0.044_003_692_430_723_37,
            0.080_820_228_059_717_66,
        ],
    )
}

/// ln(1 + x) for 0 ≤ x ≤ 1, within 2 units in the last place.
#[inline(always)]
pub(in crate::dtype) fn ln_1p_of_unit(x: f64) -> f64 {
    // 2 artanh(s) with s = x / (2 + x) ≤ 1/3.
    let s = x / (2.0 + x);
    let q = s * s;
    2.0 * (s + s * (q * artanh_rest(q)))
}

/// ln x, within 2 units in the last place: −∞ at 0, NaN below.
#[inline(always)]
pub(in crate::dtype) fn ln(x: f64) -> f64 {
    // x = 2ⁿ·m with m between √½ and √2, a subnormal number after 54 doublings; ln m = 2 artanh((m − 1) / (m + 1)).
    let small = x < f64::MIN_POSITIVE;
    let normal = if small { x * TWO_TO_54 } else { x };
    let shifted = normal.to_bits().wrapping_sub(SQRT_HALF_BITS).wrapping_add(1023 << 52);
    // n + 1023 as the low bits of 2⁵².
    let whole = f64::from_bits((shifted >> 52) | TWO_TO_52.to_bits()) - (TWO_TO_52 + 1023.0);
    let m = f64::from_bits((shifted & ((1 << 52) - 1)).wrapping_add(SQRT_HALF_BITS));
    let n = if small { whole - 54.0 } else { whole };
    let s = (m - 1.0) / (m + 1.0);
    let q = s * s;
    let y = n * LN_2_HIGH + (2.0 * s + (2.0 * s * (q * artanh_rest(q)) + n * LN_2_LOW));
    let y = if x == 0.0 { f64::NEG_INFINITY } else { y };
    let y = if x < 0.0 { f64::NAN } else { y };
    // ∞ and NaN are their own logarithms.
    if x < f64::INFINITY { y } else { x }
}

/// 1 − e⁻ˣ for x ≥ 0, within 4 units in the last place: softplus's derivative by its value.
#[inline(always)]
pub(in crate::dtype) fn one_minus_exp_neg(x: f64) -> f64 {
    // Near 0 the difference would cancel: the series to x¹³/13! leaves less than 2e-18 of it.
    let p = 1.0 / 6_227_020_800.0;
    let p = p * x - 1.0 / 479_001_600.0;
    let p = p * x + 1.0 / 39_916_800.0;
    let p = p * x - 1.0 / 3_628_800.0;
    let p = p * x + 1.0 / 362_880.0;
    let p = p * x - 1.0 / 40_320.0;
    let p = p * x + 1.0 / 5040.0;
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

    /// The distance in units in the last place from a value of the C library, itself within one of
    /// the exact one.
    fn ulps(found: f64, expected: f64) -> f64 {
        let unit = f64::from_bits(expected.abs().to_bits() + 1) - expected.abs();
        (found - expected).abs() / unit
    }

    fn worst(points: impl Iterator<Item = f64>, found: fn(f64) -> f64, expected: fn(f64) -> f64) -> f64 {
        points.map(|x| ulps(found(x), expected(x))).fold(0.0, f64::max)
    }

    #[test]
    fn exp_is_within_two_units_in_the_last_place() {
        let worst = worst((-708_000..709_780).map(|i| f64::from(i) * 1e-3), exp, f64::exp);
        assert!(worst <= 2.0, "{worst}");
        assert_eq!((exp(0.0), exp(-1e4), exp(f64::NEG_INFINITY)), (1.0, 0.0, 0.0));
        assert_eq!((exp(1e4), exp(f64::INFINITY)), (f64::INFINITY, f64::INFINITY));
        assert!(exp(f64::NAN).is_nan());
    }

    #[test]
    fn exp_loses_digits_gradually_below_the_smallest_normal_number() {
        for x in [-709.0, -720.5, -740.0, -745.0, -745.2] {
            let bits = |y: f64| y.to_bits() as i64;
            assert!((bits(exp(x)) - bits(x.exp())).abs() <= 1, "{x}: {:e}", exp(x));
        }
    }

    #[test]
    fn ln_1p_is_within_two_units_in_the_last_place() {
        let worst = worst((1..=1_000_000).map(|i| f64::from(i) * 1e-6), ln_1p_of_unit, f64::ln_1p);
        assert!(worst <= 2.0, "{worst}");
        assert_eq!((ln_1p_of_unit(0.0), ln_1p_of_unit(1e-300)), (0.0, 1e-300));
        assert!(ln_1p_of_unit(f64::NAN).is_nan());
    }

    #[test]
    fn ln_is_within_two_units_in_the_last_place() {
        let near_one = (1..1_000_000).map(|i| 0.5 + f64::from(i) * 1.5e-6).filter(|&x| x != 1.0);
        let anywhere = (-1_073..1_024).flat_map(|n| [1.0, 1.37, 1.41422].map(|m| m * 2f64.powi(n)));
        let worst = worst(near_one.chain(anywhere), ln, f64::ln);
        assert!(worst <= 2.0, "{worst}");
        assert_eq!((ln(1.0), ln(0.0), ln(-0.0)), (0.0, f64::NEG_INFINITY, f64::NEG_INFINITY));
        assert_eq!(
            (ln(f64::INFINITY), ln(f64::MAX), ln(f64::from_bits(1))),
            (f64::INFINITY, f64::MAX.ln(), f64::from_bits(1).ln())
        );
        assert!(ln(-1.0).is_nan() && ln(f64::NAN).is_nan() && ln(f64::NEG_INFINITY).is_nan());
    }

    #[test]
    fn one_minus_exp_neg_is_within_four_units_in_the_last_place() {
        let worst = worst((1..=1_000_000).map(|i| f64::from(i) * 4e-5), one_minus_exp_neg, |x| -(-x).exp_m1());
        assert!(worst <= 4.0, "{worst}");
        assert_eq!((one_minus_exp_neg(0.0), one_minus_exp_neg(1e-300), one_minus_exp_neg(1e4)), (0.0, 1e-300, 1.0));
        assert!(one_minus_exp_neg(f64::NAN).is_nan());
    }
}
