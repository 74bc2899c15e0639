//! Sets of whole numbers, which have no map from the real line.

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::transform::Map;

use super::interval::{at, shown};
use super::{Constraint, Flat, event, first_outside};

/// 0 or 1.
#[derive(Clone, Copy, Debug, Default)]
pub struct Boolean;

/// Whole numbers from zero up to a bound.
#[derive(Clone, Copy, Debug)]
pub struct IntegerRange {
    /// The largest admissible number.
    pub high: usize,
}

/// Whole numbers between two bounds, both of which belong to the set.
#[derive(Clone, Copy, Debug)]
pub struct IntegerInterval {
    /// The smallest admissible number.
    pub low: i64,
    /// The largest admissible number.
    pub high: i64,
}

/// Whole numbers from 0.
#[derive(Clone, Copy, Debug, Default)]
pub struct NonNegativeInteger;

/// Whole numbers from 1.
#[derive(Clone, Copy, Debug, Default)]
pub struct PositiveInteger;

macro_rules! discrete {
    ($Name:ident, |$this:ident| $describe:expr, |$v:ident| $holds:expr) => {
        impl<E: Dtype, D: Backend<E>> Constraint<E, D> for $Name {
            fn describe(&self) -> String {
                let $this = self;
                $describe
            }
            fn violation(&self, values: &[E], _: &[usize]) -> Option<usize> {
                let $this = self;
                first_outside(values, |$v| $holds)
            }
            fn is_discrete(&self) -> bool {
                true
            }
            fn biject_to(&self, _: &[usize]) -> Option<Map<E, D>> {
                None
            }
        }
    };
}

/// Whether a finite number is whole.
fn whole<E: Dtype>(v: E) -> bool {
    v.is_finite() && v == v.round()
}

discrete!(Boolean, |_this| "0 or 1".into(), |v| v == E::of(0.0) || v == E::of(1.0));
discrete!(IntegerRange, |this| format!("a whole number in 0..={}", this.high), |v| v >= E::of(0.0)
    && v.wide() <= this.high as f64
    && whole(v));
discrete!(IntegerInterval, |this| format!("a whole number in {}..={}", this.low, this.high), |v| v.wide()
    >= this.low as f64
    && v.wide() <= this.high as f64
    && whole(v));
discrete!(NonNegativeInteger, |_this| "a whole number from 0".into(), |v| v >= E::of(0.0) && whole(v));
discrete!(PositiveInteger, |_this| "a whole number from 1".into(), |v| v >= E::of(1.0) && whole(v));

/// Whole numbers between bounds of their own, element by element, both of which belong to the set.
#[derive(Clone, Debug)]
pub struct IntegerBounds<E: Dtype, D: Backend<E>> {
    low: Flat<E, D>,
    high: Flat<E, D>,
}

impl<E: Dtype, D: Backend<E>> IntegerBounds<E, D> {
    /// The lower and upper bounds: each one number for all elements, or as many as there are.
    pub fn new(low: Flat<E, D>, high: Flat<E, D>) -> Self {
        IntegerBounds { low, high }
    }

    fn inside(&self, values: &[E]) -> impl Iterator<Item = bool> {
        let (low, high) = (self.low.to_vec(), self.high.to_vec());
        let inside = move |(i, &v): (usize, &E)| Some(v >= at(&low, i)? && v <= at(&high, i)? && whole(v));
        values.iter().enumerate().map(move |v| inside(v) == Some(true))
    }
}

impl<E: Dtype, D: Backend<E>> Constraint<E, D> for IntegerBounds<E, D> {
    fn describe(&self) -> String {
        format!("a whole number in {}..={}", shown(&self.low), shown(&self.high))
    }
    fn violation(&self, values: &[E], _: &[usize]) -> Option<usize> {
        self.inside(values).position(|inside| !inside)
    }
    fn each_inside(&self, values: &[E]) -> Option<Vec<bool>> {
        (self.low.numel() != 1 || self.high.numel() != 1).then(|| self.inside(values).collect())
    }
    fn is_discrete(&self) -> bool {
        true
    }
    fn biject_to(&self, _: &[usize]) -> Option<Map<E, D>> {
        None
    }
}

/// Rows of zeros with a single 1.
#[derive(Clone, Copy, Debug, Default)]
pub struct OneHot;

impl<E: Dtype, D: Backend<E>> Constraint<E, D> for OneHot {
    fn describe(&self) -> String {
        "a row of zeros with a single 1".into()
    }
    fn event_axes(&self) -> usize {
        1
    }
    fn violation(&self, values: &[E], dims: &[usize]) -> Option<usize> {
        event::first_outside(values, event::len(values.len(), dims, 1), |row| {
            let neither = first_outside(row, |v| v == E::of(0.0) || v == E::of(1.0));
            neither.or_else(|| (row.iter().filter(|v| **v == E::of(1.0)).count() != 1).then_some(0))
        })
    }
    fn is_discrete(&self) -> bool {
        true
    }
    fn biject_to(&self, _: &[usize]) -> Option<Map<E, D>> {
        None
    }
}

/// Rows of whole numbers from 0 that sum to a total.
#[derive(Clone, Copy, Debug)]
pub struct Counts {
    /// What a row sums to.
    pub total: usize,
}

impl<E: Dtype, D: Backend<E>> Constraint<E, D> for Counts {
    fn describe(&self) -> String {
        format!("a row of whole numbers from 0 that sum to {}", self.total)
    }
    fn event_axes(&self) -> usize {
        1
    }
    fn violation(&self, values: &[E], dims: &[usize]) -> Option<usize> {
        event::first_outside(values, event::len(values.len(), dims, 1), |row| {
            let neither = first_outside(row, |v| v >= E::of(0.0) && whole(v));
            let sum: f64 = row.iter().map(|v| v.wide()).sum();
            neither.or_else(|| (sum != self.total as f64).then_some(0))
        })
    }
    fn is_discrete(&self) -> bool {
        true
    }
    fn biject_to(&self, _: &[usize]) -> Option<Map<E, D>> {
        None
    }
}
