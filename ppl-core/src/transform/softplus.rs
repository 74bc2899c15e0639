//! The smooth positive part.

use super::ElementMap;
use super::sigmoid::{shares, softplus};

/// y = ln(1 + eˣ), onto the positive numbers: positive for every finite x.
#[derive(Clone, Copy, Debug, Default)]
pub struct Softplus;

impl ElementMap for Softplus {
    const NAME: &'static str = "Softplus";
    const IMAGE: (f64, f64) = (0.0, f64::INFINITY);

    fn value(x: f64) -> f64 {
        softplus(x)
    }
    fn slope(x: f64) -> f64 {
        shares(x).1
    }
    fn inverse(y: f64) -> f64 {
        // ln(e^y − 1)
        y + (-(-y).exp_m1()).ln()
    }
    fn inverse_slope(y: f64) -> f64 {
        -1.0 / (-y).exp_m1()
    }
    fn log_slope(x: f64) -> f64 {
        -softplus(-x)
    }
    fn log_slope_slope(x: f64) -> f64 {
        shares(x).0
    }
}
