//! From the real line to one side of a bound, by the exponential.

use std::sync::Arc;

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::functions::{Function, apply};
use crate::tensor::Tensor;

use super::inside::strictly_inside;
use super::{Flat, Map, Transform, repeat_parameter};

/// y = bound + eˣ, or bound − eˣ, strictly on that side of the bound and finite for every finite x;
/// gradients reach the bound.
#[derive(Clone, Debug)]
pub struct IntoHalfLine<E: Dtype, D: Backend<E>> {
    bound: Flat<E, D>,
    above: bool,
}

impl<E: Dtype, D: Backend<E>> IntoHalfLine<E, D> {
    /// Onto what is above a bound: one number for all elements, or as many as there are.
    pub fn above(bound: Flat<E, D>) -> Self {
        IntoHalfLine { bound, above: true }
    }

    /// Onto what is below a bound.
    pub fn below(bound: Flat<E, D>) -> Self {
        IntoHalfLine { bound, above: false }
    }

    fn sign(&self) -> f64 {
        if self.above { 1.0 } else { -1.0 }
    }
}

impl<E: Dtype, D: Backend<E>> Transform<E, D> for IntoHalfLine<E, D> {
    fn name(&self) -> &'static str {
        "IntoHalfLine"
    }
    fn increases(&self, count: usize) -> Vec<bool> {
        vec![self.above; count]
    }
    fn repeated(&self, parts: &[usize], count: usize) -> Option<Map<E, D>> {
        Some(Arc::new(IntoHalfLine { bound: repeat_parameter(&self.bound, parts, count), above: self.above }))
    }
    fn forward(&self, x: Flat<E, D>) -> Flat<E, D> {
        let shape = x.shape();
        apply(Forward(self.sign()), [x, self.bound.clone()], shape)
    }
    fn inverse(&self, y: Flat<E, D>) -> Flat<E, D> {
        let shape = y.shape();
        apply(Backward(self.sign()), [y, self.bound.clone()], shape)
    }
    /// x itself.
    fn log_abs_det(&self, x: &Flat<E, D>, _: &Flat<E, D>) -> Flat<E, D> {
        Tensor::clone(x)
    }
}

/// bound ± eˣ.
#[derive(Clone, Copy, Debug)]
pub(super) struct Forward(pub(super) f64);

impl<E: Dtype> Function<E, 2> for Forward {
    fn name(&self) -> &'static str {
        "IntoHalfLine"
    }
    fn value(&self, [x, bound]: [E; 2]) -> E {
        let y = bound.wide() + self.0 * x.wide().exp();
        if !x.is_finite() {
            E::of(y)
        } else if self.0 > 0.0 {
            strictly_inside(y, bound, E::infinity())
        } else {
            strictly_inside(y, E::neg_infinity(), bound)
        }
    }
    fn partials(&self, [x, _]: [E; 2], _: E) -> [E; 2] {
        let slope = E::of(self.0 * x.wide().exp());
        [if slope.is_infinite() { E::of(0.0) } else { slope }, E::of(1.0)]
    }
}

/// ln |y − bound|: −∞ at the bound, NaN on the other side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backward(pub(super) f64);

impl<E: Dtype> Function<E, 2> for Backward {
    fn name(&self) -> &'static str {
        "IntoHalfLine"
    }
    fn value(&self, [y, bound]: [E; 2]) -> E {
        E::of((self.0 * (y.wide() - bound.wide())).ln())
    }
    fn partials(&self, [y, bound]: [E; 2], _: E) -> [E; 2] {
        let slope = 1.0 / (y.wide() - bound.wide());
        [E::of(slope), E::of(-slope)]
    }
}
