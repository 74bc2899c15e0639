//! From real vectors onto increasing ones.

use super::row::{Range, RowMap, transform_of_rows};

/// K real numbers onto strictly increasing ones: y₁ = x₁ and yₖ = yₖ₋₁ + e^xₖ. Where rounding would make
/// neighbours equal, or the sum overflow, they stay apart by one step of the dtype.
///
/// Reference: Stan Reference Manual, *Ordered vector*.
#[derive(Clone, Copy, Debug)]
pub struct Ordered {
    len: usize,
    positive: bool,
}

impl Ordered {
    /// Of rows of `len` numbers.
    pub fn new(len: usize) -> Self {
        Ordered { len, positive: false }
    }

    /// Onto positive increasing numbers: y₁ = e^x₁ as well (Stan's *Positive, ordered vector*).
    pub fn positive(len: usize) -> Self {
        Ordered { len, positive: true }
    }

    /// How many leading numbers are not exponentiated.
    fn plain(&self) -> usize {
        if self.positive { 0 } else { 1 }
    }
}

transform_of_rows!(Ordered, bijective = true);

impl RowMap for Ordered {
    fn lens(&self) -> (usize, usize) {
        (self.len, self.len)
    }

    fn forward(&self, x: &[f64], y: &mut [f64], range: Range) {
        let step = |at: f64| (at.abs() * range.epsilon).max(range.tiny);
        let (mut sum, len) = (0.0, y.len());
        for k in 0..len {
            let top = range.max * (1.0 - 2.0 * (len - k) as f64 * range.epsilon);
            sum += if k < self.plain() { x[k] } else { range.exp(x[k]) };
            let least = if k == 0 { f64::NEG_INFINITY } else { y[k - 1] + step(y[k - 1]) };
            y[k] = if sum < least { least } else { sum };
            if x[k].is_finite() && y[k] > top {
                y[k] = top;
            }
        }
    }

    fn forward_pullback(&self, x: &[f64], _: &[f64], upstream: &[f64], gradient: &mut [f64]) {
        let mut after = 0.0;
        for k in (0..x.len()).rev() {
            after += upstream[k];
            let slope = if k < self.plain() { 1.0 } else { x[k].exp() };
            gradient[k] += if slope.is_infinite() { 0.0 } else { after * slope };
        }
    }

    fn inverse(&self, y: &[f64], x: &mut [f64]) {
        for k in 0..y.len() {
            let before = if k == 0 { 0.0 } else { y[k - 1] };
            x[k] = if k < self.plain() { y[k] } else { (y[k] - before).ln() };
        }
    }

    fn inverse_pullback(&self, y: &[f64], _: &[f64], upstream: &[f64], gradient: &mut [f64]) {
        for k in 0..y.len() {
            let before = if k == 0 { 0.0 } else { y[k - 1] };
            let slope = if k < self.plain() { upstream[k] } else { upstream[k] / (y[k] - before) };
            gradient[k] += slope;
            if k > 0 {
                gradient[k - 1] -= slope;
            }
        }
    }

    fn log_abs_det(&self, x: &[f64]) -> f64 {
        x.iter().skip(self.plain()).sum()
    }

    fn log_abs_det_gradient(&self, _: &[f64], gradient: &mut [f64]) {
        gradient.iter_mut().skip(self.plain()).for_each(|g| *g += 1.0);
    }
}
