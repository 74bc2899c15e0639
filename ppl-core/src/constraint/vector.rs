//! Vectors: real ones, unit ones, and sets of single elements taken together.

use std::sync::Arc;

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::transform::{Identity, Map, UnitVector};

use super::{Constraint, Support, event, first_outside};

/// Rows of real numbers, each row one event.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealVector;

impl<E: Dtype, D: Backend<E>> Constraint<E, D> for RealVector {
    fn describe(&self) -> String {
        "a row of finite real numbers".into()
    }
    fn event_axes(&self) -> usize {
        1
    }
    fn violation(&self, values: &[E], _: &[usize]) -> Option<usize> {
        first_outside(values, E::is_finite)
    }
    fn biject_to(&self, _: &[usize]) -> Option<Map<E, D>> {
        Some(Arc::new(Identity))
    }
}

/// Rows of length 1 in the Euclidean norm. There is no one-to-one map; [`Constraint::transform_to`]
/// divides by the norm.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sphere;

impl<E: Dtype, D: Backend<E>> Constraint<E, D> for Sphere {
    fn describe(&self) -> String {
        "a row of length 1".into()
    }
    fn event_axes(&self) -> usize {
        1
    }
    fn violation(&self, values: &[E], dims: &[usize]) -> Option<usize> {
        event::first_outside(values, event::len(values.len(), dims, 1), |row| {
            let squares: f64 = row.iter().map(|v| v.wide().powi(2)).sum();
            let unit = (squares.sqrt() - 1.0).abs() <= event::slack::<E>(row.len());
            first_outside(row, E::is_finite).or_else(|| (!unit).then_some(0))
        })
    }
    fn biject_to(&self, _: &[usize]) -> Option<Map<E, D>> {
        None
    }
    fn transform_to(&self, dims: &[usize]) -> Option<Map<E, D>> {
        Some(Arc::new(UnitVector::new(event::len(1, dims, 1))))
    }
}

/// A constraint whose events have more trailing axes: the same values, of which several are one event.
#[derive(Clone, Debug)]
pub struct Independent<E: Dtype, D: Backend<E>> {
    base: Support<E, D>,
    axes: usize,
}

impl<E: Dtype, D: Backend<E>> Independent<E, D> {
    /// Events of `base` along `axes` more axes.
    pub fn new(base: Support<E, D>, axes: usize) -> Self {
        Independent { base, axes }
    }
}

impl<E: Dtype, D: Backend<E>> Constraint<E, D> for Independent<E, D> {
    fn describe(&self) -> String {
        self.base.describe()
    }
    fn event_axes(&self) -> usize {
        self.base.event_axes() + self.axes
    }
    fn violation(&self, values: &[E], dims: &[usize]) -> Option<usize> {
        self.base.violation(values, dims)
    }
    fn is_discrete(&self) -> bool {
        self.base.is_discrete()
    }
    fn biject_to(&self, dims: &[usize]) -> Option<Map<E, D>> {
        self.base.biject_to(dims)
    }
    fn transform_to(&self, dims: &[usize]) -> Option<Map<E, D>> {
        self.base.transform_to(dims)
    }
}
