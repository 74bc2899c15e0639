//! The error function and the standard normal distribution's cdf, with their inverses.
//!
//! Everything is computed in `f64`: erf and erfc by `libm` (3e-16 relative, tails too), the
//! inverses by `statrs` (3e-16 relative).

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, PI, SQRT_2};

use super::Function;
use crate::dtype::Dtype;

/// 1 / √(2π).
const FRAC_1_SQRT_TWO_PI: f64 = 0.398_942_280_401_432_7;

/// The standard normal density.
pub(crate) fn normal_density(z: f64) -> f64 {
    FRAC_1_SQRT_TWO_PI * (-0.5 * z * z).exp()
}

/// The standard normal probability of a value at most `z`.
pub(crate) fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z * FRAC_1_SQRT_2)
}

/// The value whose [`normal_cdf`] is `p`: ±∞ at 0 and 1, NaN beyond.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    if (0.0..=1.0).contains(&p) { -SQRT_2 * statrs::function::erf::erfc_inv(2.0 * p) } else { f64::NAN }
}

/// The error function.
pub(crate) fn erf(x: f64) -> f64 {
    libm::erf(x)
}

/// The value whose error function is `y`: ±∞ at ±1, NaN beyond.
pub(crate) fn erf_inv(y: f64) -> f64 {
    if y.abs() <= 1.0 { statrs::function::erf::erf_inv(y) } else { f64::NAN }
}

/// Where the cdf's asymptotic series takes over from erfc, which underflows at −37. Here its
/// tenth term is 2e-17.
const SERIES_BELOW: f64 = -20.0;

/// Φ(z) · (−z) / φ(z) for `z` below [`SERIES_BELOW`]: 1 − 1/z² + 1·3/z⁴ − ….
///
/// Source: Abramowitz and Stegun, *Handbook of Mathematical Functions*, 26.2.12.
fn mills_series(z: f64) -> f64 {
    let r = 1.0 / (z * z);
    (1..=10).rev().fold(1.0, |rest, k| 1.0 - f64::from(2 * k - 1) * r * rest)
}

/// The logarithm of [`normal_cdf`].
pub(crate) fn log_normal_cdf(z: f64) -> f64 {
    if z < SERIES_BELOW {
        -0.5 * z * z - (-z).ln() - 0.5 * (2.0 * PI).ln() + mills_series(z).ln()
    } else if z < 0.0 {
        normal_cdf(z).ln()
    } else {
        (-normal_cdf(-z)).ln_1p()
    }
}

/// φ(z) / Φ(z), the derivative of [`log_normal_cdf`].
pub(crate) fn inverse_mills(z: f64) -> f64 {
    if z < SERIES_BELOW { -z / mills_series(z) } else { normal_density(z) / normal_cdf(z) }
}

macro_rules! special {
    ($Name:ident, $name:literal, $doc:literal, |$x:ident, $y:ident| $value:expr, $dx:expr) => {
        #[doc = $doc]
        #[derive(Clone, Copy, Debug)]
        pub(crate) struct $Name;

        impl<E: Dtype> Function<E, 1> for $Name {
            fn name(&self) -> &'static str {
                $name
            }

            #[inline(always)]
            fn value(&self, [x]: [E; 1]) -> E {
                let $x = x.wide();
                E::of($value)
            }

            #[inline(always)]
            #[allow(unused_variables)]
            fn partials(&self, [x]: [E; 1], y: E) -> [E; 1] {
                let ($x, $y) = (x.wide(), y.wide());
                [E::of($dx)]
            }
        }
    };
}

special!(Erf, "erf", "The error function.", |x, y| erf(x), FRAC_2_SQRT_PI * (-x * x).exp());
special!(Erfc, "erfc", "1 − erf(x).", |x, y| libm::erfc(x), -FRAC_2_SQRT_PI * (-x * x).exp());
special!(ErfInv, "erfinv", "The inverse of erf.", |x, y| erf_inv(x), (y * y).exp() / FRAC_2_SQRT_PI);
special!(Ndtr, "ndtr", "The standard normal cdf.", |x, y| normal_cdf(x), normal_density(x));
special!(Ndtri, "ndtri", "The standard normal quantile.", |x, y| normal_quantile(x), 1.0 / normal_density(y));
special!(LogNdtr, "log_ndtr", "The logarithm of the standard normal cdf.", |x, y| log_normal_cdf(x), inverse_mills(x));

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() <= 1e-13 * expected.abs(), "{found} is not {expected}");
    }

    /// The derivative that a function states against a central difference of its value.
    fn derivative_holds<F: Function<f64, 1>>(f: F, points: &[f64]) {
        for &x in points {
            let h = 1e-5 * x.abs().min(1.0 - x.abs()).abs().max(1e-3);
            let difference = (f.value([x + h]) - f.value([x - h])) / (2.0 * h);
            let [stated] = f.partials([x], f.value([x]));
            assert!((stated - difference).abs() <= 1e-6 * difference.abs(), "{} at {x}: {stated}", f.name());
        }
    }

    // Reference values: mpmath with 50 digits.
    #[test]
    fn tails_keep_their_digits() {
        close(log_normal_cdf(-100000.0), -5000000012.431864);
        close(log_normal_cdf(-40.0), -804.6084420137538);
        close(log_normal_cdf(-20.5), -214.0667289632638);
        close(log_normal_cdf(-19.5), -194.0169657774975);
        close(log_normal_cdf(-5.0), -15.064998393988725);
        close(log_normal_cdf(0.5), -0.3689464152886564);
        close(log_normal_cdf(8.0), -6.220960574271786e-16);
        close(normal_cdf(-37.0), 5.725571222524577e-300);
        close(normal_cdf(-3.0), 0.0013498980316300946);
        close(normal_cdf(1.0), 0.8413447460685429);
        close(normal_quantile(1e-300), -37.0470962993612);
        close(normal_quantile(1e-10), -6.361340902404057);
        close(normal_quantile(0.3), -0.5244005127080408);
        close(normal_quantile(0.9999999999990905), 7.047700256664409);
        close(erf_inv(1e-200), 8.86226925452758e-201);
        close(erf_inv(0.5), 0.4769362762044699);
        close(erf_inv(-0.99999), -3.123413274341571);
    }

    #[test]
    fn the_series_meets_the_direct_form() {
        let (below, above) = (SERIES_BELOW - 1e-9, SERIES_BELOW);
        assert!((log_normal_cdf(below) - log_normal_cdf(above) + 1e-9 * inverse_mills(above)).abs() < 1e-12);
        assert!((inverse_mills(below) - inverse_mills(above)).abs() < 2e-9);
    }

    #[test]
    fn derivatives_equal_finite_differences() {
        derivative_holds(Erf, &[-1.5, -0.2, 0.3, 2.0]);
        derivative_holds(Erfc, &[-1.5, -0.2, 0.3, 2.0]);
        derivative_holds(ErfInv, &[-0.9, -0.1, 0.3, 0.999]);
        derivative_holds(Ndtr, &[-6.0, -1.0, 0.3, 2.0]);
        derivative_holds(Ndtri, &[0.001, 0.3, 0.5, 0.99]);
        derivative_holds(LogNdtr, &[-300.0, -25.0, -6.0, 0.3, 3.0]);
    }

    #[test]
    fn beyond_the_domain_is_nan() {
        assert!([normal_quantile(-0.1), normal_quantile(1.1), erf_inv(1.1), erf_inv(-1.1)].iter().all(|v| v.is_nan()));
        assert_eq!([normal_quantile(0.0), normal_quantile(1.0)], [f64::NEG_INFINITY, f64::INFINITY]);
    }
}
