//! y = shift + exp(log_scale) · x, element by element.

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::functions::{Function, apply};
use crate::transform::Flat;

/// The smallest and the largest logarithm of a scale, as in Pyro.
pub(super) const LOG_SCALE_BOUNDS: (f64, f64) = (-5.0, 3.0);

/// The logarithms of scales, held between their bounds.
pub(super) fn held<E: Dtype, D: Backend<E>>(log_scale: Flat<E, D>, bounds: (f64, f64)) -> Flat<E, D> {
    let shape = log_scale.shape();
    apply(Held(bounds), [log_scale], shape)
}

/// shift + exp(log_scale) · x.
pub(super) fn scaled<E: Dtype, D: Backend<E>>(x: Flat<E, D>, shift: Flat<E, D>, log_scale: Flat<E, D>) -> Flat<E, D> {
    let shape = x.shape();
    apply(Forward, [x, shift, log_scale], shape)
}

/// (y − shift) · exp(−log_scale).
pub(super) fn unscaled<E: Dtype, D: Backend<E>>(y: Flat<E, D>, shift: Flat<E, D>, log_scale: Flat<E, D>) -> Flat<E, D> {
    let shape = y.shape();
    apply(Backward, [y, shift, log_scale], shape)
}

/// A number held between two bounds. Beyond them the gradient is passed on as if they were not
/// there, so that a scale which hits one can leave it again.
#[derive(Clone, Copy, Debug)]
struct Held((f64, f64));

impl<E: Dtype> Function<E, 1> for Held {
    fn name(&self) -> &'static str {
        "log_scale"
    }
    fn value(&self, [s]: [E; 1]) -> E {
        let (low, high) = (E::of(self.0.0), E::of(self.0.1));
        // NaN stays NaN, as neither comparison holds.
        if s < low {
            low
        } else if s > high {
            high
        } else {
            s
        }
    }
    fn partials(&self, _: [E; 1], _: E) -> [E; 1] {
        [E::of(1.0)]
    }
}

#[derive(Clone, Copy, Debug)]
struct Forward;

impl<E: Dtype> Function<E, 3> for Forward {
    fn name(&self) -> &'static str {
        "scale and shift"
    }
    fn value(&self, args: [E; 3]) -> E {
        let [x, shift, log_scale] = args.map(E::wide);
        E::of(shift + log_scale.exp() * x)
    }
    fn partials(&self, [x, _, log_scale]: [E; 3], _: E) -> [E; 3] {
        let scale = log_scale.exp();
        [scale, E::of(1.0), scale * x]
    }
}

#[derive(Clone, Copy, Debug)]
struct Backward;

impl<E: Dtype> Function<E, 3> for Backward {
    fn name(&self) -> &'static str {
        "scale and shift"
    }
    fn value(&self, args: [E; 3]) -> E {
        let [y, shift, log_scale] = args.map(E::wide);
        E::of((y - shift) * (-log_scale).exp())
    }
    fn partials(&self, [_, _, log_scale]: [E; 3], x: E) -> [E; 3] {
        let back = (-log_scale).exp();
        [back, -back, -x]
    }
}
