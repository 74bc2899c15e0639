//! From real vectors onto the simplex, keeping their length.

use super::row::{Range, RowMap, transform_of_rows};

/// yₖ = e^xₖ / Σ e^xⱼ: K real numbers onto the simplex. It is not one to one, as a shift changes
/// nothing; its inverse is ln y, and ln |det J| is −∞.
#[derive(Clone, Copy, Debug)]
pub struct Softmax {
    len: usize,
}

impl Softmax {
    /// Of rows of `len` numbers.
    pub fn new(len: usize) -> Self {
        Softmax { len }
    }
}

transform_of_rows!(Softmax, bijective = false);

impl RowMap for Softmax {
    fn lens(&self) -> (usize, usize) {
        (self.len, self.len)
    }

    fn forward(&self, x: &[f64], y: &mut [f64], range: Range) {
        let max = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        y.iter_mut().zip(x).for_each(|(y, &x)| *y = (x - max).exp());
        let sum: f64 = y.iter().sum();
        for (y, x) in y.iter_mut().zip(x) {
            *y = if x.is_finite() { range.hold(*y / sum) } else { *y / sum };
        }
    }

    fn forward_pullback(&self, _: &[f64], y: &[f64], upstream: &[f64], gradient: &mut [f64]) {
        let mean: f64 = y.iter().zip(upstream).map(|(y, u)| y * u).sum();
        (0..y.len()).for_each(|k| gradient[k] += y[k] * (upstream[k] - mean));
    }

    fn inverse(&self, y: &[f64], x: &mut [f64]) {
        x.iter_mut().zip(y).for_each(|(x, y)| *x = y.ln());
    }

    fn inverse_pullback(&self, y: &[f64], _: &[f64], upstream: &[f64], gradient: &mut [f64]) {
        (0..y.len()).for_each(|k| gradient[k] += upstream[k] / y[k]);
    }

    fn log_abs_det(&self, _: &[f64]) -> f64 {
        f64::NEG_INFINITY
    }

    fn log_abs_det_gradient(&self, _: &[f64], _: &mut [f64]) {}
}
