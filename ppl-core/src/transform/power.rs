//! Powers of positive numbers.

use std::sync::Arc;

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::functions::{Function, apply};

use super::inside::strictly_inside;
use super::{Flat, Map, Transform, positive, repeat_parameter};

/// y = x^exponent, of the positive numbers onto themselves; the exponent is not 0. Gradients reach
/// it.
#[derive(Clone, Debug)]
pub struct Power<E: Dtype, D: Backend<E>> {
    exponent: Flat<E, D>,
}

impl<E: Dtype, D: Backend<E>> Power<E, D> {
    /// The exponent: one number for all elements, or as many as there are.
    pub fn new(exponent: Flat<E, D>) -> Self {
        Power { exponent }
    }
}

impl<E: Dtype, D: Backend<E>> Transform<E, D> for Power<E, D> {
    fn name(&self) -> &'static str {
        "Power"
    }
    fn increases(&self, count: usize) -> Vec<bool> {
        positive(&self.exponent, count)
    }
    fn repeated(&self, parts: &[usize], count: usize) -> Option<Map<E, D>> {
        Some(Arc::new(Power { exponent: repeat_parameter(&self.exponent, parts, count) }))
    }
    fn forward(&self, x: Flat<E, D>) -> Flat<E, D> {
        let shape = x.shape();
        apply(Forward, [x, self.exponent.clone()], shape)
    }
    fn inverse(&self, y: Flat<E, D>) -> Flat<E, D> {
        let shape = y.shape();
        apply(Backward, [y, self.exponent.clone()], shape)
    }
    fn log_abs_det(&self, x: &Flat<E, D>, _: &Flat<E, D>) -> Flat<E, D> {
        apply(LogSlope, [x.clone(), self.exponent.clone()], x.shape())
    }
}

/// A power of a number, positive and finite where the number is; NaN of negative ones.
fn power<E: Dtype>(x: E, exponent: f64) -> E {
    if x < E::of(0.0) {
        return E::nan();
    }
    let y = x.wide().powf(exponent);
    let inside = x > E::of(0.0) && x.is_finite();
    if inside { strictly_inside(y, E::of(0.0), E::infinity()) } else { E::of(y) }
}

/// ln x, and 0 at 0, where what it is a factor of vanishes.
fn ln_or_zero(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x.ln() }
}

/// xᵖ.
#[derive(Clone, Copy, Debug)]
struct Forward;

impl<E: Dtype> Function<E, 2> for Forward {
    fn name(&self) -> &'static str {
        "Power"
    }
    fn value(&self, [x, p]: [E; 2]) -> E {
        power(x, p.wide())
    }
    fn partials(&self, args: [E; 2], y: E) -> [E; 2] {
        let [x, p] = args.map(E::wide);
        [E::of(p * x.powf(p - 1.0)), E::of(y.wide() * ln_or_zero(x))]
    }
}

/// y^(1/p).
#[derive(Clone, Copy, Debug)]
struct Backward;

impl<E: Dtype> Function<E, 2> for Backward {
    fn name(&self) -> &'static str {
        "Power"
    }
    fn value(&self, [y, p]: [E; 2]) -> E {
        power(y, 1.0 / p.wide())
    }
    fn partials(&self, args: [E; 2], x: E) -> [E; 2] {
        let [y, p] = args.map(E::wide);
        [E::of(y.powf(1.0 / p - 1.0) / p), E::of(-x.wide() * ln_or_zero(y) / (p * p))]
    }
}

/// ln |p| + (p − 1) ln x.
#[derive(Clone, Copy, Debug)]
struct LogSlope;

impl<E: Dtype> Function<E, 2> for LogSlope {
    fn name(&self) -> &'static str {
        "Power"
    }
    fn value(&self, args: [E; 2]) -> E {
        let [x, p] = args.map(E::wide);
        let rest = if p == 1.0 { 0.0 } else { (p - 1.0) * x.ln() };
        E::of(p.abs().ln() + rest)
    }
    fn partials(&self, args: [E; 2], _: E) -> [E; 2] {
        let [x, p] = args.map(E::wide);
        [E::of((p - 1.0) / x), E::of(1.0 / p + x.ln())]
    }
}
