//! The logarithm of the gamma function, its derivatives, and the ratios of gamma functions that
//! densities are made of, without the cancellation of their textbook forms.
//!
//! Everything is computed in `f64`. The logarithm is `libm`'s (2e-16 relative for positive
//! arguments, near its zeros too); the rest is our own, since `statrs` has no trigamma and loses six
//! digits of digamma near its zero. The coefficients of the two rational functions were found by
//! interpolation in 60 digits at Chebyshev points and leave less than 1e-19.

use std::f64::consts::PI;

/// ½ ln 2π.
pub(crate) const HALF_LN_TWO_PI: f64 = 0.918_938_533_204_672_8;

/// From here on Stirling's series is exact to the last digit.
const STIRLING_FROM: f64 = 10.0;

/// A polynomial by Horner's rule, the constant coefficient first.
#[inline(always)]
pub(crate) fn polynomial<const N: usize>(x: f64, coefficients: &[f64; N]) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

/// ln |Γ(x)|: ∞ at 0 and the negative integers.
#[inline]
pub(crate) fn ln_gamma(x: f64) -> f64 {
    // libm's returns NaN with the sign of its intermediate at −∞; torch and C say ∞.
    if x == f64::NEG_INFINITY { f64::INFINITY } else { libm::lgamma_r(x).0 }
}

/// ln Γ(1 + x) for 0 ≤ x ≤ 1, to the last digits of small x too.
pub(crate) fn ln_gamma_1p(x: f64) -> f64 {
    const P: [f64; 8] = [
        0.483_128_950_540_980_9,
        1.057_114_472_167_308_5,
        0.901_633_228_087_758_7,
        0.377_110_488_452_675_6,
        0.079_562_727_978_749_62,
        0.007_740_884_926_263_783,
        0.000_260_032_015_089_306,
        7.022_714_158_275_621e-7,
    ];
    const Q: [f64; 8] = [
        1.0,
        2.490_172_378_894_866,
        2.488_335_933_707_194,
        1.272_860_994_720_694,
        0.351_813_151_181_146_53,
        0.050_748_383_316_203_97,
        0.003_340_097_443_800_224,
        6.935_384_479_352_703e-5,
    ];
    let s = x - 0.5;
    x * (x - 1.0) * (polynomial(s, &P) / polynomial(s, &Q))
}

/// ψ(x) for 1 ≤ x ≤ 2: the distance from its zero, which is known to twice the digits, times a
/// rational function.
fn digamma_near_zero(x: f64) -> f64 {
    const ZERO: [f64; 2] = [1.461_632_144_968_362_2, 9.549_995_429_965_697e-17];
    const P: [f64; 7] = [
        0.951_055_876_031_832_8,
        1.166_370_256_721_496_9,
        0.513_738_447_997_014_2,
        0.099_820_173_301_559_6,
        0.008_297_484_863_617_567,
        0.000_226_362_490_786_247_88,
        4.220_093_958_710_73e-7,
    ];
    const Q: [f64; 7] = [
        1.0,
        1.671_823_620_539_555_4,
        1.031_933_367_635_262_4,
        0.297_811_903_655_811_1,
        0.041_378_314_480_827_155,
        0.002_503_184_236_078_687_7,
        4.664_959_078_686_044e-5,
    ];
    let s = x - 1.5;
    ((x - ZERO[0]) - ZERO[1]) * (polynomial(s, &P) / polynomial(s, &Q))
}

/// sin πx / π and cos πx up to one common sign, exact near the zeros of both.
fn sin_cos_pi(x: f64) -> [f64; 2] {
    let part = x - x.round();
    [(PI * part).sin() / PI, (PI * (0.5 - part.abs())).sin()]
}

/// The digamma function ψ(x), the derivative of [`ln_gamma`]: NaN at the negative integers, −∞ at
/// +0 and ∞ at −0.
///
/// Source: Abramowitz and Stegun, *Handbook of Mathematical Functions*, 6.3.5, 6.3.7, 6.3.18.
#[inline]
pub(crate) fn digamma(x: f64) -> f64 {
    if x >= STIRLING_FROM {
        x.ln() - digamma_correction(x)
    } else if x >= 1.0 {
        let (mut x, mut sum) = (x, 0.0);
        while x > 2.0 {
            x -= 1.0;
            sum += 1.0 / x;
        }
        sum + digamma_near_zero(x)
    } else if x > 0.0 {
        digamma_near_zero(1.0 + x) - 1.0 / x
    } else if x == 0.0 {
        -1.0 / x
    } else if x.is_nan() || x == x.round() {
        f64::NAN
    } else {
        let [sin, cos] = sin_cos_pi(x);
        digamma(1.0 - x) - cos / sin
    }
}

/// B₂ₖ / 2k.
const DIGAMMA: [f64; 8] =
    [1.0 / 12.0, -1.0 / 120.0, 1.0 / 252.0, -1.0 / 240.0, 1.0 / 132.0, -691.0 / 32760.0, 1.0 / 12.0, -3617.0 / 8160.0];

/// ln x − ψ(x) for x ≥ 10, where the difference would cancel.
pub(crate) fn digamma_correction(x: f64) -> f64 {
    let r = 1.0 / x;
    let q = r * r;
    0.5 * r + q * polynomial(q, &DIGAMMA)
}

/// ln x − ψ(x) for x > 0, with relative precision for large x too.
pub(crate) fn ln_minus_digamma(x: f64) -> f64 {
    if x >= STIRLING_FROM { digamma_correction(x) } else { x.ln() - digamma(x) }
}

/// ψ(a + x) − ψ(a) for a > 0 and x ≥ 0, exact for large a and for small x. NaN outside.
pub(crate) fn digamma_difference(a: f64, x: f64) -> f64 {
    if !(a >= 0.0 && x >= 0.0) {
        return f64::NAN;
    }
    let (mut a, mut sum) = (a, 0.0);
    if x > 1.0 && a < STIRLING_FROM {
        return digamma(a + x) - digamma(a);
    }
    // ψ(a + 1 + x) − ψ(a + 1) plus 1 / a − 1 / (a + x).
    while a < STIRLING_FROM {
        sum += x / (a + x) / a;
        a += 1.0;
    }
    if x > a {
        return sum + (digamma(a + x) - digamma(a));
    }
    // The difference of the corrections, which x ψ″ bounds, is the smaller term by a factor of a.
    let (near, far) = (1.0 / a, 1.0 / (a + x));
    let step = -x * near * far;
    // far² − near², far⁴ − near⁴, …: each from the one before it.
    let [p, q] = [near * near, far * far];
    let square_step = step * (near + far);
    let (mut difference, mut power, mut correction) = (square_step, q, 0.0);
    for c in DIGAMMA {
        correction += c * difference;
        difference = difference * p + power * square_step;
        power *= q;
    }
    sum + (x * near).ln_1p() - 0.5 * step - correction
}

/// The trigamma function ψ′(x), the derivative of [`digamma`]: ∞ at 0 and the negative integers.
///
/// Source: Abramowitz and Stegun, 6.4.6, 6.4.7, 6.4.12.
#[inline]
pub(crate) fn trigamma(x: f64) -> f64 {
    /// B₂ₖ.
    const C: [f64; 9] = [
        1.0 / 6.0,
        -1.0 / 30.0,
        1.0 / 42.0,
        -1.0 / 30.0,
        5.0 / 66.0,
        -691.0 / 2730.0,
        7.0 / 6.0,
        -3617.0 / 510.0,
        43867.0 / 798.0,
    ];
    if x <= 0.0 {
        if x == x.round() {
            return f64::INFINITY;
        }
        let [sin, _] = sin_cos_pi(x);
        return 1.0 / (sin * sin) - trigamma(1.0 - x);
    }
    let (mut x, mut sum) = (x, 0.0);
    while x < STIRLING_FROM {
        sum += 1.0 / (x * x);
        x += 1.0;
    }
    let r = 1.0 / x;
    let q = r * r;
    // One addition last, the largest term: 1/x² of a small x.
    sum + (r + (0.5 * q + r * q * polynomial(q, &C)))
}

/// The polygamma function of order 2, ψ″(x), the derivative of [`trigamma`]: NaN at the negative
/// integers.
///
/// Source: Abramowitz and Stegun, 6.4.6, 6.4.7, 6.4.13.
pub(crate) fn tetragamma(x: f64) -> f64 {
    /// (2k + 1) B₂ₖ.
    const C: [f64; 9] = [
        3.0 / 6.0,
        -5.0 / 30.0,
        7.0 / 42.0,
        -9.0 / 30.0,
        55.0 / 66.0,
        -691.0 * 13.0 / 2730.0,
        7.0 * 15.0 / 6.0,
        -3617.0 * 17.0 / 510.0,
        43867.0 * 19.0 / 798.0,
    ];
    if x <= 0.0 {
        if x == x.round() {
            return if x == 0.0 { -1.0 / x } else { f64::NAN };
        }
        let [sin, cos] = sin_cos_pi(x);
        return tetragamma(1.0 - x) - 2.0 * cos / (sin * sin * sin);
    }
    let (mut x, mut sum) = (x, 0.0);
    while x < STIRLING_FROM {
        sum += 1.0 / (x * x * x);
        x += 1.0;
    }
    let r = 1.0 / x;
    let q = r * r;
    -(2.0 * sum + (q + (r * q + q * q * polynomial(q, &C))))
}

/// (2k + 1)-th power's coefficients of Stirling's series: B₂ₖ / (2k (2k − 1)).
const STIRLING: [f64; 9] = [
    1.0 / 12.0,
    -1.0 / 360.0,
    1.0 / 1260.0,
    -1.0 / 1680.0,
    1.0 / 1188.0,
    -691.0 / 360360.0,
    1.0 / 156.0,
    -3617.0 / 122400.0,
    43867.0 / 244188.0,
];

/// ln Γ(x) − ((x − ½) ln x − x + ½ ln 2π), what Stirling's formula lacks, for x > 0.
///
/// Source: Abramowitz and Stegun, 6.1.41.
pub(crate) fn stirling_correction(x: f64) -> f64 {
    if x >= STIRLING_FROM {
        let r = 1.0 / x;
        return r * polynomial(r * r, &STIRLING);
    }
    ln_gamma(x) - ((x - 0.5) * x.ln() - x + HALF_LN_TWO_PI)
}

/// ln Γ(a + x) − ln Γ(a) for a > 0 and x ≥ 0, exact for large a and for small x. NaN outside.
pub(crate) fn ln_gamma_ratio(a: f64, x: f64) -> f64 {
    if !(a >= 0.0 && x >= 0.0) {
        return f64::NAN;
    }
    if a >= STIRLING_FROM {
        return ln_gamma_ratio_large(a, x);
    }
    // The difference of two logarithms is good unless x is small.
    if x > 10.0 || (x > 1.0 && a < 1e-2) {
        return ln_gamma(a + x) - ln_gamma(a);
    }
    if a < 1.0 {
        let first = if (x / a).is_finite() { (x / a).ln_1p() } else { x.ln() - a.ln() };
        return ln_gamma_ratio(a + 1.0, x) - first;
    }
    // Γ(a + n + x) / Γ(a + n) over the n factors 1 + x / (a + k), kept as their product − 1.
    let (mut a, mut product) = (a, 0.0);
    while a < STIRLING_FROM {
        let factor = x / a;
        product += factor + product * factor;
        a += 1.0;
    }
    ln_gamma_ratio_large(a, x) - f64::ln_1p(product)
}

/// [`ln_gamma_ratio`] for a ≥ 10: the difference of Stirling's formulas term by term.
fn ln_gamma_ratio_large(a: f64, x: f64) -> f64 {
    let sum = a + x;
    if x == 0.0 || sum.is_infinite() {
        return x;
    }
    // (a − ½) ln(1 + x / a) − x; from a quotient that may be denormal only what is then all of it.
    let step = x / a;
    let growth = if step < f64::EPSILON { -0.5 * step } else { (a - 0.5) * step.ln_1p() - x };
    // rⁿ − 1 = (r − 1) (1 + r + … + rⁿ⁻¹) with r = a / (a + x).
    let (r, r_minus_1) = (a / sum, -x / sum);
    let (mut powers, mut power) = (1.0, r);
    let (mut correction, mut scale) = (0.0, 1.0 / a);
    for c in STIRLING {
        correction += c * scale * powers;
        powers += power + power * r;
        power *= r * r;
        scale /= a * a;
    }
    x * sum.ln() + growth + r_minus_1 * correction
}

/// ln B(a, b) for a, b > 0, without cancellation for large arguments.
///
/// Source: DiDonato and Morris, *Algorithm 708*, ACM Transactions on Mathematical Software 18, 1992.
pub(crate) fn ln_beta(a: f64, b: f64) -> f64 {
    let (a, b) = if a <= b { (a, b) } else { (b, a) };
    if a.is_nan() || b.is_nan() || a < 0.0 {
        return f64::NAN;
    }
    if a == 0.0 {
        return f64::INFINITY;
    }
    if b.is_infinite() {
        return f64::NEG_INFINITY;
    }
    if a < STIRLING_FROM {
        if b < STIRLING_FROM {
            return if a < 1e-3 { ln_beta_of_small(a, b) } else { ln_gamma(a) + (ln_gamma(b) - ln_gamma(a + b)) };
        }
        return ln_gamma(a) - ln_gamma_ratio_large(b, a);
    }
    let h = a / b;
    let log_share = -(1.0 / h).ln_1p();
    let correction = stirling_correction(a) + stirling_correction(b) - stirling_correction(a + b);
    -0.5 * b.ln() + HALF_LN_TWO_PI + correction + (a - 0.5) * log_share - b * h.ln_1p()
}

/// ln B(a, b) for a small a, which b + a would lose: −ln a + ln Γ(1 + a) − (ln Γ(b + a) − ln Γ(b)).
fn ln_beta_of_small(a: f64, b: f64) -> f64 {
    ln_gamma_1p(a) - a.ln() - ln_gamma_ratio(b, a)
}

/// ln (n over k) for real 0 ≤ k ≤ n: −∞ outside.
pub(crate) fn ln_choose(n: f64, k: f64) -> f64 {
    if n.is_nan() || k.is_nan() {
        return f64::NAN;
    }
    if k < 0.0 || k > n {
        return f64::NEG_INFINITY;
    }
    let k = k.min(n - k);
    if k < STIRLING_FROM {
        ln_gamma_ratio(n - k + 1.0, k) - ln_gamma(k + 1.0)
    } else {
        -ln_beta(n - k + 1.0, k + 1.0) - n.ln_1p()
    }
}
