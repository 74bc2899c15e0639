//! One transform after another, and backwards.

use std::sync::Arc;

use crate::backend::{Backend, Layers, Reduction};
use crate::dtype::Dtype;
use crate::tensor::Tensor;

use super::{Flat, Map, Transform};

/// Transforms applied one after the other, the first one first. An event is the fewest numbers that
/// are whole events of every part.
#[derive(Clone, Debug)]
pub struct Compose<E: Dtype, D: Backend<E>> {
    parts: Vec<Map<E, D>>,
    lens: (usize, usize),
}

impl<E: Dtype, D: Backend<E>> Compose<E, D> {
    /// The parts in the order of their application.
    pub fn new(parts: Vec<Map<E, D>>) -> Self {
        let lens = parts.iter().fold((1, 1), |lens, part| joined(lens, part.event_lens()));
        Compose { parts, lens }
    }

    /// How many events `x` holds.
    fn events(&self, x: &Flat<E, D>, y: &Flat<E, D>) -> usize {
        let by = |numel: usize, len: usize| numel.checked_div(len);
        by(x.numel(), self.lens.0).or(by(y.numel(), self.lens.1)).unwrap_or(0)
    }
}

/// The event lengths of two transforms, one after the other.
fn joined((from, between): (usize, usize), (taken, to): (usize, usize)) -> (usize, usize) {
    if between == 0 || taken == 0 {
        return (from, to);
    }
    let common = between / gcd(between, taken) * taken;
    (from * (common / between), to * (common / taken))
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl<E: Dtype, D: Backend<E>> Transform<E, D> for Compose<E, D> {
    fn name(&self) -> &'static str {
        "Compose"
    }
    fn event_lens(&self) -> (usize, usize) {
        self.lens
    }
    fn is_bijective(&self) -> bool {
        self.parts.iter().all(|part| part.is_bijective())
    }
    fn increases(&self, count: usize) -> Vec<bool> {
        let each = self.parts.iter().map(|part| part.increases(count));
        each.fold(vec![true; count], |all, part| all.into_iter().zip(part).map(|(a, b)| a == b).collect())
    }
    fn repeated(&self, parts: &[usize], count: usize) -> Option<Map<E, D>> {
        let each = self.parts.iter().map(|part| part.repeated(parts, count).unwrap_or_else(|| part.clone()));
        Some(Arc::new(Compose { parts: each.collect(), lens: self.lens }))
    }
    fn forward(&self, x: Flat<E, D>) -> Flat<E, D> {
        self.parts.iter().fold(x, |x, part| part.forward(x))
    }
    fn inverse(&self, y: Flat<E, D>) -> Flat<E, D> {
        self.parts.iter().rev().fold(y, |y, part| part.inverse(y))
    }
    fn log_abs_det(&self, x: &Flat<E, D>, y: &Flat<E, D>) -> Flat<E, D> {
        let events = self.events(x, y);
        let mut sum = Tensor::full_like(E::of(0.0), (events,));
        let mut at = x.clone();
        for (i, part) in self.parts.iter().enumerate() {
            let image = if i + 1 == self.parts.len() { y.clone() } else { part.forward(at.clone()) };
            let each = part.log_abs_det(&at, &image);
            let axis = each.numel().checked_div(events).unwrap_or(0);
            sum = sum + D::reduce(each, Layers { outer: events, axis, inner: 1 }, Reduction::Sum);
            at = image;
        }
        sum
    }
}

/// A transform backwards.
#[derive(Clone, Debug)]
pub struct Inverse<E: Dtype, D: Backend<E>> {
    base: Map<E, D>,
}

impl<E: Dtype, D: Backend<E>> Inverse<E, D> {
    /// The inverse of `base`.
    pub fn new(base: Map<E, D>) -> Self {
        Inverse { base }
    }
}

impl<E: Dtype, D: Backend<E>> Transform<E, D> for Inverse<E, D> {
    fn name(&self) -> &'static str {
        "Inverse"
    }
    fn event_lens(&self) -> (usize, usize) {
        let (from, to) = self.base.event_lens();
        (to, from)
    }
    fn is_bijective(&self) -> bool {
        self.base.is_bijective()
    }
    fn increases(&self, count: usize) -> Vec<bool> {
        self.base.increases(count)
    }
    fn repeated(&self, parts: &[usize], count: usize) -> Option<Map<E, D>> {
        Some(Arc::new(Inverse { base: self.base.repeated(parts, count)? }))
    }
    fn forward(&self, x: Flat<E, D>) -> Flat<E, D> {
        self.base.inverse(x)
    }
    fn inverse(&self, y: Flat<E, D>) -> Flat<E, D> {
        self.base.forward(y)
    }
    fn log_abs_det(&self, x: &Flat<E, D>, y: &Flat<E, D>) -> Flat<E, D> {
        -self.base.log_abs_det(y, x)
    }
}
