//! The absolute value.

use super::ElementMap;

/// y = |x|, which is not one to one: its inverse is the positive one of the two, and its Jacobian is
/// that of either branch.
#[derive(Clone, Copy, Debug, Default)]
pub struct Abs;

impl ElementMap for Abs {
    const NAME: &'static str = "Abs";
    const BIJECTIVE: bool = false;

    fn value(x: f64) -> f64 {
        x.abs()
    }
    fn slope(x: f64) -> f64 {
        if x == 0.0 { 0.0 } else { x.signum() }
    }
    fn inverse(y: f64) -> f64 {
        if y < 0.0 { f64::NAN } else { y }
    }
    fn inverse_slope(_: f64) -> f64 {
        1.0
    }
    fn log_slope(x: f64) -> f64 {
        0.0 * x.signum()
    }
    fn log_slope_slope(_: f64) -> f64 {
        0.0
    }
}
