//! The probability of some of a row's categories together.

use std::sync::Arc;

use smallvec::SmallVec;

use super::Form;
use crate::dtype::Dtype;
use crate::functions::RowFunction;

/// The probability of the categories up to one of each row, or of those beyond it. Both sums run over
/// a part of the terms of the whole in its order, so that none exceeds 1.
#[derive(Debug)]
pub(super) struct Portion {
    pub(super) form: Form,
    pub(super) len: usize,
    pub(super) categories: Arc<[usize]>,
    pub(super) beyond: bool,
}

impl Portion {
    /// Whether a category is in the sum of a row.
    fn has(&self, row: usize, k: usize) -> bool {
        (k > self.categories[row]) == self.beyond
    }

    /// The weights, their sum, and that of the portion.
    fn sums<E: Dtype>(&self, row: usize, x: &[E]) -> (SmallVec<[f64; 16]>, f64, f64) {
        let weights = self.form.weights(x);
        let part = weights.iter().enumerate().filter(|(k, _)| self.has(row, *k)).map(|(_, w)| w).sum();
        let all = weights.iter().sum();
        (weights, all, part)
    }
}

impl<E: Dtype> RowFunction<E> for Portion {
    fn lens(&self) -> (usize, usize) {
        (self.len, 1)
    }

    fn value(&self, row: usize, x: &[E], y: &mut [E]) {
        let (_, all, part) = self.sums(row, x);
        y[0] = E::of(part / all);
    }

    fn pullback(&self, row: usize, x: &[E], _: &[E], upstream: &[E], gradient: &mut [E]) {
        let (weights, all, part) = self.sums(row, x);
        let scale = upstream[0].wide() / all;
        for (k, (g, w)) in gradient.iter_mut().zip(weights).enumerate() {
            let along = f64::from(self.has(row, k)) - part / all;
            *g += E::of(match self.form {
                Form::Probs => scale * along,
                Form::Logits => scale * w * along,
            });
        }
    }
}
