//! The normaliser of the von Mises density and its mean resultant length, from the modified Bessel
//! functions I₀ and I₁.

/// ln 2π.
pub(super) const LN_TWO_PI: f64 = 1.837_877_066_409_345_3;

/// From here on the asymptotic series is exact to the last digits.
const LARGE: f64 = 25.0;

/// Σ of the power series of I₀(k) and I₁(k), times e⁻ᵏ.
///
/// Source: Abramowitz and Stegun, *Handbook of Mathematical Functions*, 9.6.10.
fn power_series(k: f64) -> [f64; 2] {
    let quarter = 0.25 * k * k;
    let (mut zero, mut one, mut term) = (0.0, 0.0, 1.0);
    for n in 1..=80 {
        let n = f64::from(n);
        zero += term;
        one += term / n;
        term *= quarter / (n * n);
        if term < 1e-18 * zero {
            break;
        }
    }
    [zero, 0.5 * k * one].map(|sum| sum * (-k).exp())
}

/// Σ of the asymptotic series of I₀(k) and of I₀(k) − I₁(k), times e⁻ᵏ √(2πk).
///
/// Source: Abramowitz and Stegun, 9.7.1.
fn asymptotic_series(k: f64) -> [f64; 2] {
    let (mut zero, mut difference) = (1.0, 0.0);
    let (mut term_zero, mut term_one) = (1.0, 1.0);
    for n in 1..=40 {
        let odd = f64::from(2 * n - 1) * f64::from(2 * n - 1);
        let step = 1.0 / (8.0 * k * f64::from(n));
        term_zero *= odd * step;
        term_one *= (odd - 4.0) * step;
        zero += term_zero;
        difference += term_zero - term_one;
        if term_zero < 1e-18 * difference {
            break;
        }
    }
    [zero, difference]
}

/// ln(e⁻ᵏ I₀(k)).
pub(super) fn log_i0e(k: f64) -> f64 {
    if k < LARGE { power_series(k)[0].ln() } else { asymptotic_series(k)[0].ln() - 0.5 * (LN_TWO_PI + k.ln()) }
}

/// 1 − I₁(k) / I₀(k): what the mean resultant length lacks to 1, the circular variance.
pub(super) fn shortfall(k: f64) -> f64 {
    if k < LARGE {
        let [zero, one] = power_series(k);
        (zero - one) / zero
    } else {
        let [zero, difference] = asymptotic_series(k);
        difference / zero
    }
}

/// Its derivative, (1 − d) / k − d (2 − d) at d = [`shortfall`].
pub(super) fn shortfall_slope(k: f64) -> f64 {
    if k > 1e5 {
        // The terms of −1 / (2 k²) − 1 / (4 k³) − …, since the closed form cancels.
        let r = k.recip();
        return -r * r * (0.5 + r * (0.25 + r * (0.375 + r * (0.78125))));
    }
    let d = shortfall(k);
    if k < 1e-8 { -0.5 } else { (1.0 - d) / k - d * (2.0 - d) }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Reference values: mpmath with 50 digits.
    #[test]
    fn it_equals_mpmath() {
        let cases = [
            (1e-10, -9.9999999997500004e-11, 0.99999999995, -0.5),
            (0.001, -0.00099975000001562502, 0.99950000006249999, -0.49999981250005208),
            (0.7, -0.58105939608939811, 0.66982271046732896, -0.41930111528732863),
            (5.0, -1.6953182241774666, 0.10661686295591478, -0.0231899430364522),
            (24.9, -2.5212470440533119, 0.020290583264439519, -0.00082369905141244226),
            (25.1, -2.525288775386073, 0.020127170684787079, -0.00081048022975128527),
            (300.0, -3.7704124069977712, 0.0016680602094664729, -5.5648614354286157e-6),
            (100000.0, -6.6754000156835369, 5.000012500125002e-6, -5.0000250003750078e-11),
            (200000.0, -7.0219742309681971, 2.5000031250156251e-6, -1.2500031250234377e-11),
            (10000000000.0, -12.431863998162401, 5.000000000125e-11, -5.00000000025e-21),
        ];
        for (k, log, lack, slope) in cases {
            assert!((log_i0e(k) - log).abs() <= 1e-14 * f64::max(1.0, f64::abs(log)), "ln i0e({k}) = {}", log_i0e(k));
            assert!((shortfall(k) - lack).abs() <= 2e-14 * lack, "shortfall({k}) = {}", shortfall(k));
            assert!(
                (shortfall_slope(k) - slope).abs() <= 1e-9 * f64::abs(slope),
                "slope({k}) = {}",
                shortfall_slope(k)
            );
        }
    }
}
