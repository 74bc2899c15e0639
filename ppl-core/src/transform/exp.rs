//! The exponential and the logarithm.

use super::ElementMap;

/// y = eˣ, onto the positive numbers: positive and finite for every finite x.
#[derive(Clone, Copy, Debug, Default)]
pub struct Exp;

impl ElementMap for Exp {
    const NAME: &'static str = "Exp";
    const IMAGE: (f64, f64) = (0.0, f64::INFINITY);

    fn value(x: f64) -> f64 {
        x.exp()
    }
    fn slope(x: f64) -> f64 {
        x.exp()
    }
    fn inverse(y: f64) -> f64 {
        y.ln()
    }
    fn inverse_slope(y: f64) -> f64 {
        1.0 / y
    }
    fn log_slope(x: f64) -> f64 {
        x
    }
    fn log_slope_slope(_: f64) -> f64 {
        1.0
    }
}

/// y = ln x, of positive numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Log;

impl ElementMap for Log {
    const NAME: &'static str = "Log";
    const DOMAIN: (f64, f64) = (0.0, f64::INFINITY);

    fn value(x: f64) -> f64 {
        x.ln()
    }
    fn slope(x: f64) -> f64 {
        1.0 / x
    }
    fn inverse(y: f64) -> f64 {
        y.exp()
    }
    fn inverse_slope(y: f64) -> f64 {
        y.exp()
    }
    fn log_slope(x: f64) -> f64 {
        -x.ln()
    }
    fn log_slope_slope(x: f64) -> f64 {
        -1.0 / x
    }
}
