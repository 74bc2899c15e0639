//! From the real line into an interval, by a scaled sigmoid, or by the exponential where it has one end.

use std::sync::Arc;

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::functions::{Function, apply};

use super::half_line;
use super::inside::strictly_inside;
use super::sigmoid::{log_both_shares, shares};
use super::{Flat, Map, Transform, repeat_parameter};

/// y = low + (high − low) · sigmoid(x), with bounds for all elements or element by element;
/// gradients reach the bounds. A finite x is mapped strictly inside.
///
/// An infinite bound is none: y = low + eˣ where high is ∞, high − eˣ where low is −∞, and x where both
/// are. The gradient along such a bound is 0.
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

    fn repeated(&self, parts: &[usize], count: usize) -> Option<Map<E, D>> {
        let [low, high] = [&self.low, &self.high].map(|p| repeat_parameter(p, parts, count));
        Some(Arc::new(IntoInterval { low, high }))
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

/// Which ends an interval has.
enum Ends {
    Both,
    Low,
    High,
    Neither,
}

impl Ends {
    fn of<E: Dtype>(low: E, high: E) -> Self {
        match (low == E::neg_infinity(), high == E::infinity()) {
            (false, false) => Ends::Both,
            (false, true) => Ends::Low,
            (true, false) => Ends::High,
            (true, true) => Ends::Neither,
        }
    }
}

/// A function of x and one bound as one of x and both.
fn one_sided<E: Dtype>([along_x, along_bound]: [E; 2], is_low: bool) -> [E; 3] {
    if is_low { [along_x, along_bound, E::of(0.0)] } else { [along_x, E::of(0.0), along_bound] }
}

/// low + (high − low) · sigmoid(x).
#[derive(Clone, Copy, Debug)]
struct Forward;

impl<E: Dtype> Function<E, 3> for Forward {
    fn name(&self) -> &'static str {
        "IntoInterval"
    }

    fn value(&self, [x, low, high]: [E; 3]) -> E {
        match Ends::of(low, high) {
            Ends::Both => {}
            Ends::Low => return half_line::Forward(1.0).value([x, low]),
            Ends::High => return half_line::Forward(-1.0).value([x, high]),
            Ends::Neither => return x,
        }
        let (below, above) = shares(x.wide());
        let y = low.wide() * below + high.wide() * above;
        if x.is_finite() { strictly_inside(y, low, high) } else { E::of(y) }
    }

    fn partials(&self, [x, low, high]: [E; 3], y: E) -> [E; 3] {
        match Ends::of(low, high) {
            Ends::Both => {}
            Ends::Low => return one_sided(half_line::Forward(1.0).partials([x, low], y), true),
            Ends::High => return one_sided(half_line::Forward(-1.0).partials([x, high], y), false),
            Ends::Neither => return [1.0, 0.0, 0.0].map(E::of),
        }
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
        match Ends::of(low, high) {
            Ends::Both => E::of((y.wide() - low.wide()).ln() - (high.wide() - y.wide()).ln()),
            Ends::Low => half_line::Backward(1.0).value([y, low]),
            Ends::High => half_line::Backward(-1.0).value([y, high]),
            Ends::Neither => y,
        }
    }

    fn partials(&self, [y, low, high]: [E; 3], x: E) -> [E; 3] {
        match Ends::of(low, high) {
            Ends::Both => {}
            Ends::Low => return one_sided(half_line::Backward(1.0).partials([y, low], x), true),
            Ends::High => return one_sided(half_line::Backward(-1.0).partials([y, high], x), false),
            Ends::Neither => return [1.0, 0.0, 0.0].map(E::of),
        }
        let (below, above) = (1.0 / (y.wide() - low.wide()), 1.0 / (high.wide() - y.wide()));
        [E::of(below + above), E::of(-below), E::of(-above)]
    }
}

/// ln((high − low) · sigmoid(x) · sigmoid(−x)); x where there is one end, 0 where there is none.
#[derive(Clone, Copy, Debug)]
struct LogSlope;

impl<E: Dtype> Function<E, 3> for LogSlope {
    fn name(&self) -> &'static str {
        "IntoInterval"
    }

    fn value(&self, [x, low, high]: [E; 3]) -> E {
        match Ends::of(low, high) {
            Ends::Both => E::of((high.wide() - low.wide()).ln() + log_both_shares(x.wide())),
            Ends::Low | Ends::High => x,
            Ends::Neither => E::of(0.0),
        }
    }

    fn partials(&self, [x, low, high]: [E; 3], _: E) -> [E; 3] {
        match Ends::of(low, high) {
            Ends::Both => {}
            Ends::Low | Ends::High => return [1.0, 0.0, 0.0].map(E::of),
            Ends::Neither => return [0.0; 3].map(E::of),
        }
        let (below, above) = shares(x.wide());
        let d = 1.0 / (high.wide() - low.wide());
        [E::of(below - above), E::of(-d), E::of(d)]
    }
}
