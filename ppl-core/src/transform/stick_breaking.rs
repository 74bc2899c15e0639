//! From real vectors onto the simplex, one to one.

use super::row::{Range, RowMap, transform_of_rows};
use super::sigmoid::{shares, softplus};

/// K−1 real numbers onto the simplex of K: zₖ = sigmoid(xₖ − ln(K − k)) for k = 1, …, K−1 is the share
/// of what is left that goes to yₖ; the last takes the rest. Zeros become equal probabilities.
///
/// ln |det J| is that of the first K−1 coordinates. Reference: Stan Reference Manual, *Unit simplex*;
/// `StickBreakingTransform` of torch.
#[derive(Clone, Copy, Debug)]
pub struct StickBreaking {
    len: usize,
}

impl StickBreaking {
    /// Onto rows of `len` probabilities.
    pub fn new(len: usize) -> Self {
        StickBreaking { len }
    }

    /// xₖ − ln(number of those after k), for each free coordinate.
    fn shifted<'a>(&self, x: &'a [f64]) -> impl DoubleEndedIterator<Item = (usize, f64)> + ExactSizeIterator + 'a {
        let last = x.len();
        x.iter().enumerate().map(move |(k, &x)| (k, x - ((last - k) as f64).ln()))
    }
}

transform_of_rows!(StickBreaking, bijective = true);

impl RowMap for StickBreaking {
    fn lens(&self) -> (usize, usize) {
        (self.len.saturating_sub(1), self.len)
    }

    fn forward(&self, x: &[f64], y: &mut [f64], range: Range) {
        let mut left = 0.0;
        for (k, u) in self.shifted(x) {
            y[k] = range.hold((left - softplus(-u)).exp());
            left -= softplus(u);
        }
        if let Some(last) = y.last_mut() {
            *last = range.hold(left.exp());
        }
    }

    fn forward_pullback(&self, x: &[f64], y: &[f64], upstream: &[f64], gradient: &mut [f64]) {
        // By the logarithms: ln yₖ = ln zₖ + Σ ln(1 − zⱼ) over those before.
        let last = x.len();
        let Some(mut after) = y.get(last).map(|y| y * upstream[last]) else { return };
        for (k, u) in self.shifted(x).rev() {
            let (rest, share) = shares(u);
            let own = y[k] * upstream[k];
            gradient[k] += own * rest - after * share;
            after += own;
        }
    }

    fn inverse(&self, y: &[f64], x: &mut [f64]) {
        let mut rest = y.last().copied().unwrap_or(0.0);
        let last = x.len();
        for k in (0..last).rev() {
            x[k] = y[k].ln() - rest.ln() + ((last - k) as f64).ln();
            rest += y[k];
        }
    }

    fn inverse_pullback(&self, y: &[f64], _: &[f64], upstream: &[f64], gradient: &mut [f64]) {
        // xₖ = ln yₖ − ln(sum of those after) + constant.
        let tails: Vec<f64> = y.iter().rev().scan(0.0, |sum, y| Some(std::mem::replace(sum, *sum + y))).collect();
        let mut before = 0.0;
        for (k, u) in upstream.iter().enumerate() {
            gradient[k] += u / y[k] - before;
            before += u / tails[y.len() - 1 - k];
        }
        if let Some(last) = gradient.last_mut() {
            *last -= before;
        }
    }

    fn log_abs_det(&self, x: &[f64]) -> f64 {
        let last = x.len();
        self.shifted(x).map(|(k, u)| -softplus(-u) - (last - k) as f64 * softplus(u)).sum()
    }

    fn log_abs_det_gradient(&self, x: &[f64], gradient: &mut [f64]) {
        let last = x.len();
        for (k, u) in self.shifted(x) {
            let (rest, share) = shares(u);
            gradient[k] += rest - (last - k) as f64 * share;
        }
    }
}
