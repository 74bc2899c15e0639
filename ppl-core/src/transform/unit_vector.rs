//! From real vectors onto the unit sphere.

use super::row::{Range, RowMap, transform_of_rows};

/// y = x / |x|, which is not one to one: its inverse is y itself, and ln |det J| is −∞. The zero vector
/// goes to the first axis.
#[derive(Clone, Copy, Debug)]
pub struct UnitVector {
    len: usize,
}

impl UnitVector {
    /// Of rows of `len` numbers.
    pub fn new(len: usize) -> Self {
        UnitVector { len }
    }
}

/// |x|, without overflow.
fn norm(x: &[f64]) -> f64 {
    x.iter().fold(0.0, |norm: f64, x| norm.hypot(*x))
}

transform_of_rows!(UnitVector, bijective = false);

impl RowMap for UnitVector {
    fn lens(&self) -> (usize, usize) {
        (self.len, self.len)
    }

    fn forward(&self, x: &[f64], y: &mut [f64], _: Range) {
        // Scaled first, so that neither the smallest nor the largest numbers are lost.
        let scale = x.iter().fold(0.0, |max: f64, x| max.max(x.abs()));
        if scale == 0.0 && x.iter().all(|x| *x == 0.0) {
            y.iter_mut().take(1).for_each(|y| *y = 1.0);
            return;
        }
        y.iter_mut().zip(x).for_each(|(y, x)| *y = x / scale);
        let norm = norm(y);
        y.iter_mut().for_each(|y| *y /= norm);
    }

    fn forward_pullback(&self, x: &[f64], y: &[f64], upstream: &[f64], gradient: &mut [f64]) {
        let norm = norm(x);
        if norm == 0.0 {
            return;
        }
        let along: f64 = y.iter().zip(upstream).map(|(y, u)| y * u).sum();
        (0..y.len()).for_each(|k| gradient[k] += (upstream[k] - along * y[k]) / norm);
    }

    fn inverse(&self, y: &[f64], x: &mut [f64]) {
        x.copy_from_slice(y);
    }

    fn inverse_pullback(&self, _: &[f64], _: &[f64], upstream: &[f64], gradient: &mut [f64]) {
        gradient.iter_mut().zip(upstream).for_each(|(g, u)| *g += u);
    }

    fn log_abs_det(&self, _: &[f64]) -> f64 {
        f64::NEG_INFINITY
    }

    fn log_abs_det_gradient(&self, _: &[f64], _: &mut [f64]) {}
}
