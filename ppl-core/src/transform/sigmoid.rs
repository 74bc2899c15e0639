//! The logistic function and its inverse.

use super::ElementMap;

/// sigmoid(−x) and sigmoid(x), each to full precision.
pub(super) fn shares(x: f64) -> (f64, f64) {
    let e = (-x.abs()).exp();
    let (near, far) = (1.0 / (1.0 + e), e / (1.0 + e));
    if x >= 0.0 { (far, near) } else { (near, far) }
}

/// ln(sigmoid(x) · sigmoid(−x)).
pub(super) fn log_both_shares(x: f64) -> f64 {
    -x.abs() - 2.0 * (-x.abs()).exp().ln_1p()
}

/// ln(1 + eˣ).
pub(super) fn softplus(x: f64) -> f64 {
    // Not `f64::max`, which would hide a NaN.
    (if x > 0.0 { x } else { 0.0 * x.signum() }) + (-x.abs()).exp().ln_1p()
}

fn sigmoid(x: f64) -> f64 {
    shares(x).1
}

fn logit(y: f64) -> f64 {
    y.ln() - (-y).ln_1p()
}

/// y = 1 / (1 + e⁻ˣ), onto the numbers between 0 and 1: strictly between them for every finite x.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sigmoid;

impl ElementMap for Sigmoid {
    const NAME: &'static str = "Sigmoid";
    const IMAGE: (f64, f64) = (0.0, 1.0);

    fn value(x: f64) -> f64 {
        sigmoid(x)
    }
    fn slope(x: f64) -> f64 {
        let (below, above) = shares(x);
        below * above
    }
    fn inverse(y: f64) -> f64 {
        logit(y)
    }
    fn inverse_slope(y: f64) -> f64 {
        1.0 / (y * (1.0 - y))
    }
    fn log_slope(x: f64) -> f64 {
        log_both_shares(x)
    }
    fn log_slope_slope(x: f64) -> f64 {
        let (below, above) = shares(x);
        below - above
    }
}

/// y = ln x − ln(1 − x), of numbers between 0 and 1.
#[derive(Clone, Copy, Debug, Default)]
pub struct Logit;

impl ElementMap for Logit {
    const NAME: &'static str = "Logit";
    const DOMAIN: (f64, f64) = (0.0, 1.0);

    fn value(x: f64) -> f64 {
        logit(x)
    }
    fn slope(x: f64) -> f64 {
        1.0 / (x * (1.0 - x))
    }
    fn inverse(y: f64) -> f64 {
        sigmoid(y)
    }
    fn inverse_slope(y: f64) -> f64 {
        let (below, above) = shares(y);
        below * above
    }
    fn log_slope(x: f64) -> f64 {
        -x.ln() - (-x).ln_1p()
    }
    fn log_slope_slope(x: f64) -> f64 {
        1.0 / (1.0 - x) - 1.0 / x
    }
}
