//! Numbers between two bounds, which are fixed or tensors.

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::functions::unary::{sigmoid, softplus};
use crate::functions::{Function, apply, apply_sum};
use crate::tensor::Tensor;

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
    fn bounds<E: Dtype, D: Backend<E>>(&self) -> Bounds<E, D> {
        Bounds::new(Flat::vector(vec![E::of(self.low)]), Flat::vector(vec![E::of(self.high)]))
    }
}

impl<E: Dtype, D: Backend<E>> Constraint<E, D> for Interval {
    fn describe(&self) -> String {
        format!("in [{}, {}]", self.low, self.high)
    }
    fn violation(&self, values: &[E]) -> Option<usize> {
        let (low, high) = (E::of(self.low), E::of(self.high));
        first_outside(values, |v| v >= low && v <= high)
    }
    fn transform(&self, unconstrained: Flat<E, D>) -> Flat<E, D> {
        self.bounds().transform(unconstrained)
    }
    fn inverse(&self, constrained: Flat<E, D>) -> Flat<E, D> {
        self.bounds().inverse(constrained)
    }
    fn log_abs_det(&self, unconstrained: Flat<E, D>) -> Tensor<(), E, D> {
        self.bounds().log_abs_det(unconstrained)
    }
}

/// Numbers between bounds of their own, element by element, by a scaled sigmoid; gradients reach
/// the bounds.
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

    /// `f` of the elements and their bounds.
    fn map(&self, f: impl Function<E, 3>, x: Flat<E, D>) -> Flat<E, D> {
        let shape = x.shape();
        apply(f, [x, self.low.clone(), self.high.clone()], shape)
    }
}

impl<E: Dtype, D: Backend<E>> Constraint<E, D> for Bounds<E, D> {
    fn describe(&self) -> String {
        let shown = |bound: &Flat<E, D>| match bound.to_vec()[..] {
            [one] => one.to_string(),
            _ => "its own bound".into(),
        };
        format!("in [{}, {}]", shown(&self.low), shown(&self.high))
    }
    fn violation(&self, values: &[E]) -> Option<usize> {
        let (low, high) = (self.low.to_vec(), self.high.to_vec());
        let at = |bounds: &[E], i: usize| if bounds.len() == 1 { bounds[0] } else { bounds[i] };
        (0..values.len()).find(|&i| !(values[i] >= at(&low, i) && values[i] <= at(&high, i)))
    }
    fn transform(&self, unconstrained: Flat<E, D>) -> Flat<E, D> {
        self.map(IntoInterval, unconstrained)
    }
    fn inverse(&self, constrained: Flat<E, D>) -> Flat<E, D> {
        self.map(OutOfInterval, constrained)
    }
    fn log_abs_det(&self, unconstrained: Flat<E, D>) -> Tensor<(), E, D> {
        let numel = unconstrained.numel();
        apply_sum(LogSlope, [unconstrained, self.low.clone(), self.high.clone()], numel)
    }
}

/// low + (high − low) · sigmoid(u).
#[derive(Clone, Copy, Debug)]
struct IntoInterval;

impl<E: Dtype> Function<E, 3> for IntoInterval {
    fn name(&self) -> &'static str {
        "interval"
    }

    #[inline(always)]
    fn value(&self, [u, low, high]: [E; 3]) -> E {
        let x = low * sigmoid(-u) + high * sigmoid(u);
        // Rounding must not leave the interval; a NaN must not become a bound.
        if x < low {
            low
        } else if x > high {
            high
        } else {
            x
        }
    }

    #[inline(always)]
    fn partials(&self, [u, low, high]: [E; 3], _: E) -> [E; 3] {
        let (below, above) = (sigmoid(-u), sigmoid(u));
        [(high - low) * below * above, below, above]
    }
}

/// logit((x − low) / (high − low)): ±∞ at the bounds.
#[derive(Clone, Copy, Debug)]
struct OutOfInterval;

impl<E: Dtype> Function<E, 3> for OutOfInterval {
    fn name(&self) -> &'static str {
        "interval inverse"
    }

    #[inline(always)]
    fn value(&self, [x, low, high]: [E; 3]) -> E {
        (x - low).ln() - (high - x).ln()
    }

    #[inline(always)]
    fn partials(&self, [x, low, high]: [E; 3], _: E) -> [E; 3] {
        let (below, above) = (E::of(1.0) / (x - low), E::of(1.0) / (high - x));
        [below + above, -below, -above]
    }
}

/// ln((high − low) · sigmoid(u) · sigmoid(−u)).
#[derive(Clone, Copy, Debug)]
struct LogSlope;

impl<E: Dtype> Function<E, 3> for LogSlope {
    fn name(&self) -> &'static str {
        "interval log slope"
    }

    #[inline(always)]
    fn value(&self, [u, low, high]: [E; 3]) -> E {
        (high - low).ln() - softplus(u) - softplus(-u)
    }

    #[inline(always)]
    fn partials(&self, [u, low, high]: [E; 3], _: E) -> [E; 3] {
        let d = E::of(1.0) / (high - low);
        [sigmoid(-u) - sigmoid(u), -d, d]
    }
}
