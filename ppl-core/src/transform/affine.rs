//! Location and scale.

use std::sync::Arc;

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::functions::{Function, apply};

use super::{Flat, Map, Transform, positive, repeat_parameter};

/// y = loc + scale · x, where the scale may be negative but not 0; gradients reach both parameters.
#[derive(Clone, Debug)]
pub struct Affine<E: Dtype, D: Backend<E>> {
    loc: Flat<E, D>,
    scale: Flat<E, D>,
}

impl<E: Dtype, D: Backend<E>> Affine<E, D> {
    /// Location and scale: each one number for all elements, or as many as there are.
    pub fn new(loc: Flat<E, D>, scale: Flat<E, D>) -> Self {
        Affine { loc, scale }
    }

    fn map(&self, f: impl Function<E, 3>, x: Flat<E, D>) -> Flat<E, D> {
        let shape = x.shape();
        apply(f, [x, self.loc.clone(), self.scale.clone()], shape)
    }
}

impl<E: Dtype, D: Backend<E>> Transform<E, D> for Affine<E, D> {
    fn name(&self) -> &'static str {
        "Affine"
    }
    fn increases(&self, count: usize) -> Vec<bool> {
        positive(&self.scale, count)
    }
    fn repeated(&self, parts: &[usize], count: usize) -> Option<Map<E, D>> {
        let [loc, scale] = [&self.loc, &self.scale].map(|p| repeat_parameter(p, parts, count));
        Some(Arc::new(Affine { loc, scale }))
    }
    fn forward(&self, x: Flat<E, D>) -> Flat<E, D> {
        self.map(Forward, x)
    }
    fn inverse(&self, y: Flat<E, D>) -> Flat<E, D> {
        self.map(Backward, y)
    }
    fn log_abs_det(&self, x: &Flat<E, D>, _: &Flat<E, D>) -> Flat<E, D> {
        apply(LogSlope, [x.clone(), self.scale.clone()], x.shape())
    }
}

/// loc + scale · x.
#[derive(Clone, Copy, Debug)]
struct Forward;

impl<E: Dtype> Function<E, 3> for Forward {
    fn name(&self) -> &'static str {
        "Affine"
    }
    fn value(&self, args: [E; 3]) -> E {
        let [x, loc, scale] = args.map(E::wide);
        E::of(loc + scale * x)
    }
    fn partials(&self, [x, _, scale]: [E; 3], _: E) -> [E; 3] {
        [scale, E::of(1.0), x]
    }
}

/// (y − loc) / scale.
#[derive(Clone, Copy, Debug)]
struct Backward;

impl<E: Dtype> Function<E, 3> for Backward {
    fn name(&self) -> &'static str {
        "Affine"
    }
    fn value(&self, args: [E; 3]) -> E {
        let [y, loc, scale] = args.map(E::wide);
        E::of((y - loc) / scale)
    }
    fn partials(&self, [_, _, scale]: [E; 3], x: E) -> [E; 3] {
        [E::of(1.0) / scale, E::of(-1.0) / scale, -x / scale]
    }
}

/// ln |scale|.
#[derive(Clone, Copy, Debug)]
struct LogSlope;

impl<E: Dtype> Function<E, 2> for LogSlope {
    fn name(&self) -> &'static str {
        "Affine"
    }
    fn value(&self, [_, scale]: [E; 2]) -> E {
        E::of(scale.wide().abs().ln())
    }
    fn partials(&self, [_, scale]: [E; 2], _: E) -> [E; 2] {
        [E::of(0.0), E::of(1.0) / scale]
    }
}
