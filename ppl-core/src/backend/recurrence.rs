//! The order in which a recurrent map passes over sequences of different lengths.

use std::sync::Arc;

use super::Activation;

/// Which way a recurrent map passes over its sequences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the first step of each sequence to its last.
    Forward,
    /// From the last step of each sequence to its first.
    Backward,
}

/// A recurrent map: `state = activation(input + before · weight + bias)`, step after step, for sequences
/// that lie side by side. Its tensors are `steps` × sequences × `size`, padded behind each sequence's end.
#[derive(Clone, Debug)]
pub struct Recurrence {
    /// How many steps each sequence has.
    pub lengths: Arc<[usize]>,
    /// How many steps the padded sequences have.
    pub steps: usize,
    /// The size of a state.
    pub size: usize,
    /// Which way.
    pub direction: Direction,
    /// The function behind each step.
    pub activation: Activation,
}

/// One sequence at one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// The number of the sequence.
    pub(super) sequence: usize,
    /// The row of the padded tensor.
    pub(super) at: usize,
    /// The row of the state before; `None` for the initial state.
    pub(super) before: Option<usize>,
}

impl Recurrence {
    /// The steps in the order in which states are found.
    pub(super) fn order(&self) -> Box<dyn DoubleEndedIterator<Item = usize>> {
        match self.direction {
            Direction::Forward => Box::new(0..self.steps),
            Direction::Backward => Box::new((0..self.steps).rev()),
        }
    }

    /// The sequences that have a step `t`.
    pub(super) fn rows(&self, t: usize) -> impl Iterator<Item = Row> + Clone + '_ {
        let count = self.lengths.len();
        let before = move |length: usize| match self.direction {
            Direction::Forward => t.checked_sub(1),
            Direction::Backward => (t + 1 < length.min(self.steps)).then_some(t + 1),
        };
        let running = self.lengths.iter().enumerate().filter(move |(_, length)| t < **length);
        running.map(move |(sequence, &length)| Row {
            sequence,
            at: t * count + sequence,
            before: before(length).map(|t| t * count + sequence),
        })
    }

    /// How many numbers the padded tensor has.
    pub(super) fn numel(&self) -> usize {
        self.steps * self.lengths.len() * self.size
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recurrence(direction: Direction) -> Recurrence {
        Recurrence { lengths: [3, 0, 2].into(), steps: 3, size: 1, direction, activation: Activation::Tanh }
    }

    #[test]
    fn each_sequence_starts_at_its_own_end() {
        let rows = |direction, t| recurrence(direction).rows(t).map(|row| (row.at, row.before)).collect::<Vec<_>>();
        assert_eq!(rows(Direction::Forward, 0), [(0, None), (2, None)]);
        assert_eq!(rows(Direction::Forward, 2), [(6, Some(3))]);
        assert_eq!(rows(Direction::Backward, 2), [(6, None)]);
        assert_eq!(rows(Direction::Backward, 1), [(3, Some(6)), (5, None)]);
        assert_eq!(recurrence(Direction::Backward).order().collect::<Vec<_>>(), [2, 1, 0]);
    }
}
