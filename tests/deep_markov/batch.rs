//! Sequences of different lengths as one tensor, as in the example.

use std::cmp::Reverse;
use std::sync::Arc;

use ppl::prelude64::*;

use crate::chain::OBSERVED;

/// The data of each step.
pub(crate) type Sequence = Vec<[f64; OBSERVED]>;

/// Sequences side by side, the longest first.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    /// Time, sequence, number.
    pub(crate) steps: Tensor<(usize, usize, Const<OBSERVED>)>,
    /// The steps of each sequence, descending.
    pub(crate) lengths: Arc<[usize]>,
}

impl Batch {
    /// The sequences, sorted by length, with `padding` after the end of the shorter ones.
    pub(crate) fn new(sequences: &[&Sequence], padding: f64) -> Self {
        let sorted = sorted(sequences);
        let lengths: Arc<[usize]> = sorted.iter().map(|sequence| sequence.len()).collect();
        let (time, n) = (lengths[0], sorted.len());
        let at = |t: usize, i: usize| sorted[i].get(t).copied().unwrap_or([padding; OBSERVED]);
        let values = (0..time).flat_map(|t| (0..n).flat_map(move |i| at(t, i))).collect();
        Batch { steps: Tensor::from_vec(values, (time, n, Const)), lengths }
    }

    pub(crate) fn sequences(&self) -> usize {
        self.lengths.len()
    }

    pub(crate) fn longest(&self) -> usize {
        self.lengths[0]
    }

    pub(crate) fn mask(&self, t: usize) -> Vec<bool> {
        self.lengths.iter().map(|&length| t < length).collect()
    }

    pub(crate) fn step(&self, t: usize) -> Tensor<(usize, Const<OBSERVED>)> {
        let n = self.sequences();
        let step: Tensor<(usize, usize, Const<OBSERVED>)> = self.steps.slice(&[t..t + 1, 0..n, 0..OBSERVED]);
        step.reshape_like(&(n, Const))
    }
}

/// The longest first; those of the same length stay in order.
pub(crate) fn sorted<'a>(sequences: &[&'a Sequence]) -> Vec<&'a Sequence> {
    let mut sorted = sequences.to_vec();
    sorted.sort_by_key(|sequence| Reverse(sequence.len()));
    sorted
}
