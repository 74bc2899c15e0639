//! The hyperbolic tangent.

use std::f64::consts::LN_2;

use super::ElementMap;

/// 1 / cosh x, without overflow.
pub(super) fn sech(x: f64) -> f64 {
    let e = (-x.abs()).exp();
    2.0 * e / (1.0 + e * e)
}

/// ln sech² x = 2 (ln 2 − |x| − ln(1 + e^(−2|x|))), the logarithm of the slope.
pub(super) fn log_sech_squared(x: f64) -> f64 {
    2.0 * (LN_2 - x.abs() - (-2.0 * x.abs()).exp().ln_1p())
}

/// y = tanh x, onto the numbers between −1 and 1: strictly between them for every finite x.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tanh;

impl ElementMap for Tanh {
    const NAME: &'static str = "Tanh";
    const IMAGE: (f64, f64) = (-1.0, 1.0);

    fn value(x: f64) -> f64 {
        x.tanh()
    }
    fn slope(x: f64) -> f64 {
        sech(x).powi(2)
    }
    fn inverse(y: f64) -> f64 {
        (0.5 * (2.0 * y.abs() / (1.0 - y.abs())).ln_1p()).copysign(y)
    }
    fn inverse_slope(y: f64) -> f64 {
        1.0 / ((1.0 - y) * (1.0 + y))
    }
    fn log_slope(x: f64) -> f64 {
        log_sech_squared(x)
    }
    fn log_slope_slope(x: f64) -> f64 {
        -2.0 * x.tanh()
    }
}
