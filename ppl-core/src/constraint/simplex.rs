//! Probabilities that sum to one.

use std::sync::Arc;

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::transform::{Map, Ones, Softmax, StickBreaking};

use super::{Constraint, event, first_outside};

/// Rows of numbers that are not negative and sum to 1, within rounding: 1e-6 an element in `f32` and
/// 1e-9 in `f64`. One to one by stick-breaking, or by softmax.
#[derive(Clone, Copy, Debug, Default)]
pub struct Simplex;

impl<E: Dtype, D: Backend<E>> Constraint<E, D> for Simplex {
    fn describe(&self) -> String {
        "a row of probabilities that sum to 1".into()
    }
    fn event_axes(&self) -> usize {
        1
    }
    fn violation(&self, values: &[E], dims: &[usize]) -> Option<usize> {
        event::first_outside(values, event::len(values.len(), dims, 1), |row| {
            let negative = first_outside(row, |v| v >= E::of(0.0));
            let sum: f64 = row.iter().map(|v| v.wide()).sum();
            negative.or_else(|| ((sum - 1.0).abs() > event::slack::<E>(row.len())).then_some(0))
        })
    }
    fn biject_to(&self, dims: &[usize]) -> Option<Map<E, D>> {
        let len = event::len(1, dims, 1);
        if len == 1 {
            return Some(Arc::new(Ones::new(event::count(dims, 1))));
        }
        Some(Arc::new(StickBreaking::new(len)))
    }
    fn transform_to(&self, dims: &[usize]) -> Option<Map<E, D>> {
        Some(Arc::new(Softmax::new(event::len(1, dims, 1))))
    }
}
