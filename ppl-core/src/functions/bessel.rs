//! The modified Bessel functions I₀ and I₁ of the first kind, scaled by e⁻ˣ, and their ratio: the
//! normaliser of the von Mises density and its mean resultant length.
//!
//! Below [`LARGE`] they are sums of the power series, whose terms are all positive; from there on of
//! the asymptotic series. Source: Abramowitz and Stegun, *Handbook of Mathematical Functions*, 9.6.10
//! and 9.7.1. Every function takes any real number; NaN stays NaN.

use super::gamma_function::HALF_LN_TWO_PI;

/// From here on the smallest term of the asymptotic series is below 1e-21.
const LARGE: f64 = 25.0;

/// Σ of the power series of I₀(x) − 1 and of I₁(x) / x.
fn power_series(x: f64) -> [f64; 2] {
    let quarter = 0.25 * x * x;
    let (mut above_one, mut over_x, mut term) = (0.0, 1.0, 1.0);
    for n in 1..=90 {
        let n = f64::from(n);
        term *= quarter / (n * n);
        above_one += term;
        over_x += term / (n + 1.0);
        if term < 1e-18 * above_one {
            break;
        }
    }
    [above_one, 0.5 * over_x]
}

/// The asymptotic series, over e⁻ˣ √(2πx), of I₀(x) and I₀(x) − I₁(x), and of −x times their
/// derivatives.
fn asymptotic_series(x: f64) -> [f64; 4] {
    let (mut zero, mut gap, mut zero_slope, mut gap_slope) = (1.0, 0.0, 0.0, 0.0);
    let (mut of_zero, mut of_one) = (1.0, 1.0);
    for n in 1..=40 {
        let n = f64::from(n);
        let odd = (2.0 * n - 1.0) * (2.0 * n - 1.0);
        let step = 1.0 / (8.0 * x * n);
        of_zero *= odd * step;
        of_one *= (odd - 4.0) * step;
        zero += of_zero;
        gap += of_zero - of_one;
        zero_slope += n * of_zero;
        gap_slope += n * (of_zero - of_one);
        if n * of_zero < 1e-18 * gap {
            break;
        }
    }
    [zero, gap, zero_slope, gap_slope]
}

/// e⁻ˣ I₀(x) and e⁻ˣ (I₀(x) − I₁(x)) of a number that is not negative.
fn scaled(x: f64) -> [f64; 2] {
    if x < LARGE {
        let [above_one, over_x] = power_series(x);
        return [1.0 + above_one, 1.0 + above_one - x * over_x].map(|sum| sum * (-x).exp());
    }
    let [zero, gap, ..] = asymptotic_series(x);
    [zero, gap].map(|sum| sum / x.sqrt() * (-HALF_LN_TWO_PI).exp())
}

/// e^−|x| I₀(x).
pub(crate) fn i0e(x: f64) -> f64 {
    scaled(x.abs())[0]
}

/// The derivative of [`i0e`]: 0 at its peak, where the slopes of the two sides are 1 and −1.
pub(crate) fn i0e_slope(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { -scaled(x.abs())[1].copysign(x) }
}

/// e^−|x| I₁(x).
pub(crate) fn i1e(x: f64) -> f64 {
    let k = x.abs();
    if k < LARGE {
        return x * power_series(k)[1] * (-k).exp();
    }
    let [zero, gap] = scaled(k);
    (zero - gap).copysign(x)
}

/// The derivative of [`i1e`].
pub(crate) fn i1e_slope(x: f64) -> f64 {
    let k = x.abs();
    let [zero, gap] = scaled(k);
    if k < LARGE { gap - power_series(k)[1] * (-k).exp() } else { gap - (zero - gap) / k }
}

/// ln (e^−|x| I₀(x)), which no large x overflows.
pub(crate) fn log_i0e(x: f64) -> f64 {
    let k = x.abs();
    if k < 1.0 {
        power_series(k)[0].ln_1p() - k
    } else if k < LARGE {
        scaled(k)[0].ln()
    } else {
        asymptotic_series(k)[0].ln() - 0.5 * k.ln() - HALF_LN_TWO_PI
    }
}

/// The derivative of [`log_i0e`]: that of |x| is taken as 0 at 0.
pub(crate) fn log_i0e_slope(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { -bessel_shortfall(x.abs()).copysign(x) }
}

/// I₁(x) / I₀(x), between −1 and 1: the derivative of ln I₀(x).
pub(crate) fn bessel_ratio(x: f64) -> f64 {
    let k = x.abs();
    if k < LARGE {
        let [above_one, over_x] = power_series(k);
        return x * over_x / (1.0 + above_one);
    }
    let [zero, gap, ..] = asymptotic_series(k);
    ((zero - gap) / zero).copysign(x)
}

/// 1 − I₁(k) / I₀(k) for k ≥ 0, with relative precision for large k: a circular variance.
pub(crate) fn bessel_shortfall(k: f64) -> f64 {
    if k < LARGE {
        let [above_one, over_x] = power_series(k);
        return (1.0 + above_one - k * over_x) / (1.0 + above_one);
    }
    let [zero, gap, ..] = asymptotic_series(k);
    gap / zero
}

/// The derivative of [`bessel_ratio`], 1 − r / x − r²; minus that of [`bessel_shortfall`].
pub(crate) fn bessel_ratio_slope(x: f64) -> f64 {
    let k = x.abs();
    if k < LARGE {
        let [above_one, over_x] = power_series(k);
        let [ratio, over_x] = [k * over_x, over_x].map(|v| v / (1.0 + above_one));
        return 1.0 - over_x - ratio * ratio;
    }
    // Of the series, since the closed form cancels: the derivative of −gap / zero.
    let [zero, gap, zero_slope, gap_slope] = asymptotic_series(k);
    (gap_slope - gap / zero * zero_slope) / zero / k
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_even_or_odd_and_end_at_infinity() {
        for x in [1e-300, 0.3, 7.0, 24.99, 25.0, 1e4, f64::INFINITY] {
            assert_eq!([i0e(-x), log_i0e(-x), i1e_slope(-x)], [i0e(x), log_i0e(x), i1e_slope(x)]);
            assert_eq!([i1e(-x), i0e_slope(-x), log_i0e_slope(-x)], [-i1e(x), -i0e_slope(x), -log_i0e_slope(x)]);
            assert_eq!([bessel_ratio(-x), bessel_ratio_slope(-x)], [-bessel_ratio(x), bessel_ratio_slope(x)]);
        }
        assert_eq!([i0e(0.0), i1e(0.0), log_i0e(0.0), bessel_ratio(0.0)], [1.0, 0.0, 0.0, 0.0]);
        assert_eq!([i0e_slope(0.0), i1e_slope(0.0), log_i0e_slope(0.0), bessel_ratio_slope(0.0)], [0.0, 0.5, 0.0, 0.5]);
        let far = f64::INFINITY;
        assert_eq!([i0e(far), i1e(far), log_i0e(far), bessel_ratio(far)], [0.0, 0.0, -far, 1.0]);
        assert_eq!([i0e_slope(far), i1e_slope(far), log_i0e_slope(far), bessel_ratio_slope(far)], [0.0; 4]);
    }

    #[test]
    fn what_is_no_number_stays_none() {
        let all = [i0e, i0e_slope, i1e, i1e_slope, log_i0e, log_i0e_slope, bessel_ratio, bessel_ratio_slope];
        assert!(all.iter().all(|f| f(f64::NAN).is_nan()));
    }
}
