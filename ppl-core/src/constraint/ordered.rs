//! Rows of increasing numbers.

use std::sync::Arc;

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::transform::{self, Map};

use super::{Constraint, event, first_outside};

/// The first element of a row that is not finite or not above the one before it.
fn not_increasing<E: Dtype>(row: &[E]) -> Option<usize> {
    let above = |i: usize| i == 0 || row[i] > row[i - 1];
    (0..row.len()).find(|&i| !row[i].is_finite() || !above(i))
}

/// Rows of strictly increasing numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ordered;

impl<E: Dtype, D: Backend<E>> Constraint<E, D> for Ordered {
    fn describe(&self) -> String {
        "a row of increasing numbers".into()
    }
    fn event_axes(&self) -> usize {
        1
    }
    fn violation(&self, values: &[E], dims: &[usize]) -> Option<usize> {
        event::first_outside(values, event::len(values.len(), dims, 1), not_increasing)
    }
    fn biject_to(&self, dims: &[usize]) -> Option<Map<E, D>> {
        Some(Arc::new(transform::Ordered::new(event::len(1, dims, 1))))
    }
}

/// Rows of strictly increasing positive numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct PositiveOrdered;

impl<E: Dtype, D: Backend<E>> Constraint<E, D> for PositiveOrdered {
    fn describe(&self) -> String {
        "a row of increasing positive numbers".into()
    }
    fn event_axes(&self) -> usize {
        1
    }
    fn violation(&self, values: &[E], dims: &[usize]) -> Option<usize> {
        event::first_outside(values, event::len(values.len(), dims, 1), |row| {
            let not_positive = first_outside(row, |v| v > E::of(0.0));
            not_positive.into_iter().chain(not_increasing(row)).min()
        })
    }
    fn biject_to(&self, dims: &[usize]) -> Option<Map<E, D>> {
        Some(Arc::new(transform::Ordered::positive(event::len(1, dims, 1))))
    }
}
