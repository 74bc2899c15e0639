//! From the real line into an interval, by a scaled sigmoid.

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::functions::{Function, apply};

use super::inside::strictly_inside;
use super::sigmoid::{log_both_shares, shares};
use super::{Flat, Transform};

/// y = low + (high − low) · sigmoid(x), with bounds for all elements or element by element;
/// gradients reach the bounds. A finite x is mapped strictly inside.
#[derive(Clone, Debug)]
pub struct IntoInterval<E: Dtype, D: Backend<E>> {
    low: Flat<E, D>,
    high: Flat<E, D>,
}

impl<E: Dtype, D: Backend<E>> IntoInterval<E, D> {
    /// The lower and upper bounds: each one number for all elements, or as many as there are.
    pub fn new(low: Flat<E, D>, high: Flat<E, D>) -> Self {
        IntoInterval { low, high }
    }

    /// `f` of the elements and their bounds.
    fn map(&self, f: impl Function<E, 3>, x: Flat<E, D>) -> Flat<E, D> {
        let shape = x.shape();
        apply(f, [x, self.low.clone(), self.high.clone()], shape)
    }
}

impl<E: Dtype, D: Backend<E>> Transform<E, D> for IntoInterval<E, D> {
    fn name(&self) -> &'static str {
        "IntoInterval"
    }

    fn forward(&self, x: Flat<E, D>) -> Flat<E, D> {
        self.map(Forward, x)
    }

    fn inverse(&self, y: Flat<E, D>) -> Flat<E, D> {
        self.map(Backward, y)
    }

    fn log_abs_det(&self, x: &Flat<E, D>, _: &Flat<E, D>) -> Flat<E, D> {
        self.map(LogSlope, x.clone())
    }
}

/// low + (high − low) · sigmoid(x).
#[derive(Clone, Copy, Debug)]
struct Forward;

impl<E: Dtype> Function<E, 3> for Forward {
    fn name(&self) -> &'static str {
        "IntoInterval"
    }

    fn value(&self, [x, low, high]: [E; 3]) -> E {
        let (below, above) = shares(x.wide());
        let y = low.wide() * below + high.wide() * above;
        if x.is_finite() { strictly_inside(y, low, high) } else { E::of(y) }
    }

    fn partials(&self, [x, low, high]: [E; 3], _: E) -> [E; 3] {
        let (below, above) = shares(x.wide());
        let slope = (high.wide() * below - low.wide() * below) * above;
        [E::of(slope), E::of(below), E::of(above)]
    }
}

/// logit((y − low) / (high − low)): ±∞ at the bounds, NaN beyond.
#[derive(Clone, Copy, Debug)]
struct Backward;

impl<E: Dtype> Function<E, 3> for Backward {
    fn name(&self) -> &'static str {
        "IntoInterval"
    }

    fn value(&self, [y, low, high]: [E; 3]) -> E {
        E::of((y.wide() - low.wide()).ln() - (high.wide() - y.wide()).ln())
    }

    fn partials(&self, [y, low, high]: [E; 3], _: E) -> [E; 3] {
        let (below, above) = (1.0 / (y.wide() - low.wide()), 1.0 / (high.wide() - y.wide()));
        [E::of(below + above), E::of(-below), E::of(-above)]
    }
}

/// ln((high − low) · sigmoid(x) · sigmoid(−x)).
#[derive(Clone, Copy, Debug)]
struct LogSlope;

impl<E: Dtype> Function<E, 3> for LogSlope {
    fn name(&self) -> &'static str {
        "IntoInterval"
    }

    fn value(&self, [x, low, high]: [E; 3]) -> E {
        E::of((high.wide() - low.wide()).ln() + log_both_shares(x.wide()))
    }

    fn partials(&self, [x, low, high]: [E; 3], _: E) -> [E; 3] {
        let (below, above) = shares(x.wide());
        let d = 1.0 / (high.wide() - low.wide());
        [E::of(below - above), E::of(-d), E::of(d)]
    }
}
