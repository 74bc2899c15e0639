//! Chorales of different lengths as one tensor.

use std::cmp::Reverse;
use std::sync::Arc;

use ppl::prelude::{Const, Tensor};

use super::chorales::{KEYS, Sequence};

/// Sequences side by side, the longest first, zeros after the end of the shorter ones.
#[derive(Clone, Debug)]
pub struct Batch {
    /// 1 where a note sounds, 0 elsewhere: time, sequence, key.
    pub steps: Tensor<(usize, usize, Const<KEYS>)>,
    /// The steps of each sequence, descending.
    pub lengths: Arc<[usize]>,
}

impl Batch {
    /// The sequences, sorted by length; those of the same length stay in order.
    ///
    /// # Panics
    /// If a note is not in `0..88`.
    pub fn new(sequences: &[&Sequence]) -> Self {
        let mut sorted = sequences.to_vec();
        sorted.sort_by_key(|sequence| Reverse(sequence.len()));
        let lengths: Arc<[usize]> = sorted.iter().map(|sequence| sequence.len()).collect();
        let (time, n) = (lengths.first().copied().unwrap_or(0), sorted.len());
        let mut values = vec![0.0; time * n * KEYS];
        for (i, sequence) in sorted.iter().enumerate() {
            for (t, notes) in sequence.iter().enumerate() {
                let keys = &mut values[(t * n + i) * KEYS..][..KEYS];
                notes.iter().for_each(|&note| keys[usize::from(note)] = 1.0);
            }
        }
        Batch { steps: Tensor::from_vec(values, (time, n, Const)), lengths }
    }

    /// How many sequences there are.
    pub fn sequences(&self) -> usize {
        self.lengths.len()
    }

    /// The steps of the longest sequence.
    pub fn longest(&self) -> usize {
        self.lengths.first().copied().unwrap_or(0)
    }

    /// The steps of all sequences together.
    pub fn time_steps(&self) -> usize {
        self.lengths.iter().sum()
    }

    /// Which sequences have a step `t`: all of them at the start, none from the end of the longest on.
    pub fn mask(&self, t: usize) -> Vec<bool> {
        self.lengths.iter().map(|&length| t < length).collect()
    }

    /// The keys of all sequences in step `t`.
    ///
    /// # Panics
    /// If no sequence has such a step.
    pub fn step(&self, t: usize) -> Tensor<(usize, Const<KEYS>)> {
        let n = self.sequences();
        let step: Tensor<(usize, usize, Const<KEYS>)> = self.steps.slice(&[t..t + 1, 0..n, 0..KEYS]);
        step.reshape_like(&(n, Const))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Batch {
        let (short, long, other) = (vec![vec![5]], vec![vec![0, 87], vec![], vec![7]], vec![vec![9]]);
        Batch::new(&[&short, &long, &other])
    }

    /// The keys that are 1; all others must be 0.
    fn notes(keys: &[f32]) -> Vec<usize> {
        assert!(keys.iter().all(|&key| key == 0.0 || key == 1.0));
        (0..keys.len()).filter(|&key| keys[key] == 1.0).collect()
    }

    #[test]
    fn the_longest_comes_first_and_the_others_are_padded() {
        let batch = three();
        assert_eq!(batch.steps.dims(), [3, 3, 88]);
        assert_eq!(*batch.lengths, [3, 1, 1]);
        let values = batch.steps.to_vec();
        let cells: Vec<Vec<usize>> = values.chunks(88).map(notes).collect();
        let none = Vec::new;
        let expected = [vec![0, 87], vec![5], vec![9], none(), none(), none(), vec![7], none(), none()];
        assert_eq!(cells, expected);
    }

    #[test]
    fn a_step_has_the_keys_of_all_sequences_and_the_mask_those_that_are_there() {
        let batch = three();
        let values = batch.steps.to_vec();
        for t in 0..3 {
            let step = batch.step(t);
            assert_eq!(step.dims(), [3, 88]);
            assert_eq!(step.to_vec(), values[t * 3 * 88..(t + 1) * 3 * 88]);
            assert_eq!(batch.mask(t), [true, t == 0, t == 0]);
        }
        assert_eq!(batch.mask(3), [false; 3]);
    }

    #[test]
    fn all_notes_of_the_sample_are_in_its_batch() {
        let sample = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/dmm/data/sample.json.gz");
        let (chorales, _) = super::super::chorales::load(Some(&sample)).unwrap();
        let batch = Batch::new(&chorales.train.iter().collect::<Vec<_>>());
        assert_eq!(batch.steps.dims(), [84, 24, 88]);
        assert_eq!(batch.lengths.iter().sum::<usize>(), 1378);
        assert!(batch.lengths.is_sorted_by(|a, b| a >= b));
        assert_eq!(notes(&batch.steps.to_vec()).len(), 5363);
        let there: usize = (0..84).map(|t| batch.mask(t).iter().filter(|&&m| m).count()).sum();
        assert_eq!(there, 1378);
    }

    #[test]
    #[should_panic(expected = "index out of bounds: the len is 88 but the index is 88")]
    fn a_note_beyond_the_keys_is_not_taken_for_one_of_the_next_sequence() {
        let (wrong, other) = (vec![vec![88]], vec![vec![1]]);
        let _ = Batch::new(&[&wrong, &other]);
    }
}
