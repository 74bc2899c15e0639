//! Numbers between two bounds, which are fixed or tensors.

use std::f64::consts::PI;
use std::sync::Arc;

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::transform::{IntoInterval, Map};

use super::{Constraint, Flat, first_outside};

/// Numbers between two bounds, by a scaled sigmoid.
#[derive(Clone, Copy, Debug)]
pub struct Interval {
    /// The lower bound.
    pub low: f64,
    /// The upper bound.
    pub high: f64,
}

/// Numbers between 0 and 1: probabilities.
pub const UNIT_INTERVAL: Interval = Interval { low: 0.0, high: 1.0 };

impl Interval {
    fn map<E: Dtype, D: Backend<E>>(self) -> Map<E, D> {
        Arc::new(IntoInterval::new(one(self.low), one(self.high)))
    }
}

impl<E: Dtype, D: Backend<E>> Constraint<E, D> for Interval {
    fn describe(&self) -> String {
        format!("in [{}, {}]", self.low, self.high)
    }
    fn violation(&self, values: &[E], _: &[usize]) -> Option<usize> {
        let (low, high) = (E::of(self.low), E::of(self.high));
        first_outside(values, |v| v >= low && v <= high)
    }
    fn biject_to(&self, _: &[usize]) -> Option<Map<E, D>> {
        Some(self.map())
    }
}

/// Numbers from a lower bound up to, but not including, an upper one, by a scaled sigmoid.
#[derive(Clone, Copy, Debug)]
pub struct HalfOpenInterval {
    /// The lower bound, which belongs to the set.
    pub low: f64,
    /// The upper bound, which does not.
    pub high: f64,
}

impl<E: Dtype, D: Backend<E>> Constraint<E, D> for HalfOpenInterval {
    fn describe(&self) -> String {
        format!("in [{}, {})", self.low, self.high)
    }
    fn violation(&self, values: &[E], _: &[usize]) -> Option<usize> {
        let (low, high) = (E::of(self.low), E::of(self.high));
        first_outside(values, |v| v >= low && v < high)
    }
    fn biject_to(&self, _: &[usize]) -> Option<Map<E, D>> {
        Some(Interval { low: self.low, high: self.high }.map())
    }
}

/// Angles from −π up to, but not including, π, by a scaled sigmoid; both are rounded to the dtype.
#[derive(Clone, Copy, Debug, Default)]
pub struct Circular;

impl<E: Dtype, D: Backend<E>> Constraint<E, D> for Circular {
    fn describe(&self) -> String {
        "an angle in [-π, π)".into()
    }
    fn violation(&self, values: &[E], dims: &[usize]) -> Option<usize> {
        Constraint::<E, D>::violation(&HalfOpenInterval { low: -PI, high: PI }, values, dims)
    }
    fn biject_to(&self, _: &[usize]) -> Option<Map<E, D>> {
        Some(Interval { low: -PI, high: PI }.map())
    }
}

/// A number as a tensor.
pub(super) fn one<E: Dtype, D: Backend<E>>(value: f64) -> Flat<E, D> {
    Flat::vector(vec![E::of(value)])
}

/// The bound of the i-th element: its own, or the only one.
pub(super) fn at<E: Dtype>(bounds: &[E], i: usize) -> Option<E> {
    if bounds.len() == 1 { bounds.first() } else { bounds.get(i) }.copied()
}

/// A bound in words.
pub(super) fn shown<E: Dtype, D: Backend<E>>(bound: &Flat<E, D>) -> String {
    match bound.to_vec()[..] {
        [one] => one.to_string(),
        _ => "its own bound".into(),
    }
}

/// Finite numbers between bounds of their own, element by element, by a scaled sigmoid; gradients reach
/// the bounds. An infinite bound is none: the map is then the exponential from the other, or the
/// identity.
#[derive(Clone, Debug)]
pub struct Bounds<E: Dtype, D: Backend<E>> {
    low: Flat<E, D>,
    high: Flat<E, D>,
}

impl<E: Dtype, D: Backend<E>> Bounds<E, D> {
    /// The lower and upper bounds: each one number for all elements, or as many as there are.
    pub fn new(low: Flat<E, D>, high: Flat<E, D>) -> Self {
        Bounds { low, high }
    }

    fn inside(&self, values: &[E]) -> impl Iterator<Item = bool> {
        let (low, high) = (self.low.to_vec(), self.high.to_vec());
        let inside = move |(i, &v): (usize, &E)| Some(v.is_finite() && v >= at(&low, i)? && v <= at(&high, i)?);
        values.iter().enumerate().map(move |v| inside(v) == Some(true))
    }

    /// What is to be said besides the bounds where one is infinite.
    fn and_finite(&self) -> &'static str {
        let infinite = |bound: &Flat<E, D>| bound.to_vec().iter().any(|b| b.is_infinite());
        if infinite(&self.low) || infinite(&self.high) { ", and finite" } else { "" }
    }
}

impl<E: Dtype, D: Backend<E>> Constraint<E, D> for Bounds<E, D> {
    fn describe(&self) -> String {
        format!("in [{}, {}]{}", shown(&self.low), shown(&self.high), self.and_finite())
    }
    fn violation(&self, values: &[E], _: &[usize]) -> Option<usize> {
        self.inside(values).position(|inside| !inside)
    }
    fn each_inside(&self, values: &[E]) -> Option<Vec<bool>> {
        (self.low.numel() != 1 || self.high.numel() != 1).then(|| self.inside(values).collect())
    }
    fn biject_to(&self, _: &[usize]) -> Option<Map<E, D>> {
        Some(Arc::new(IntoInterval::new(self.low.clone(), self.high.clone())))
    }
}
