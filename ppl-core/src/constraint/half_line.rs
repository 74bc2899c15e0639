//! The real line and its halves from zero.

use std::sync::Arc;

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::transform::{Exp, Identity, Map};

use super::{Constraint, first_outside};

/// Any real number.
#[derive(Clone, Copy, Debug, Default)]
pub struct Real;

impl<E: Dtype, D: Backend<E>> Constraint<E, D> for Real {
    fn describe(&self) -> String {
        "a finite real number".into()
    }
    fn violation(&self, values: &[E], _: &[usize]) -> Option<usize> {
        first_outside(values, E::is_finite)
    }
    fn biject_to(&self, _: &[usize]) -> Option<Map<E, D>> {
        Some(Arc::new(Identity))
    }
}

/// Numbers above zero, by the exponential.
#[derive(Clone, Copy, Debug, Default)]
pub struct Positive;

impl<E: Dtype, D: Backend<E>> Constraint<E, D> for Positive {
    fn describe(&self) -> String {
        "positive and finite".into()
    }
    fn violation(&self, values: &[E], _: &[usize]) -> Option<usize> {
        first_outside(values, |v| v > E::of(0.0) && v.is_finite())
    }
    fn biject_to(&self, _: &[usize]) -> Option<Map<E, D>> {
        Some(Arc::new(Exp))
    }
}

/// Numbers from zero up, by the exponential (which never reaches zero).
#[derive(Clone, Copy, Debug, Default)]
pub struct NonNegative;

impl<E: Dtype, D: Backend<E>> Constraint<E, D> for NonNegative {
    fn describe(&self) -> String {
        "not negative, and finite".into()
    }
    fn violation(&self, values: &[E], _: &[usize]) -> Option<usize> {
        first_outside(values, |v| v >= E::of(0.0) && v.is_finite())
    }
    fn biject_to(&self, _: &[usize]) -> Option<Map<E, D>> {
        Some(Arc::new(Exp))
    }
}
