//! Sets that parameters and values live in, and smooth maps onto them from the real line.
//!
//! A constraint works on flat tensors, so that one object serves tensors of every shape.

use std::fmt::Debug;
use std::sync::Arc;

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::shared::Shared;
use crate::tensor::Tensor;

// Numbers between bounds.
mod interval;

pub use interval::{Bounds, Interval, UNIT_INTERVAL};

/// A tensor seen as one axis.
pub type Flat<E, D> = Tensor<(usize,), E, D>;

/// A constraint shared by reference.
pub type Support<E, D> = Arc<dyn Constraint<E, D>>;

/// A set of admissible values and a smooth map onto it from unconstrained ones
/// (`transform_to` of torch.distributions).
pub trait Constraint<E: Dtype, D: Backend<E>>: Debug + Shared + 'static {
    /// The words that follow "must be" in errors: "positive", "in [0, 1]".
    fn describe(&self) -> String;

    /// The flat index of the first element that lies outside (NaN always does).
    fn violation(&self, values: &[E]) -> Option<usize>;

    /// The constrained value of unconstrained numbers.
    fn transform(&self, unconstrained: Flat<E, D>) -> Flat<E, D>;

    /// Unconstrained numbers of a constrained value.
    fn inverse(&self, constrained: Flat<E, D>) -> Flat<E, D>;

    /// ln |det J| of [`Constraint::transform`] at `unconstrained`, summed.
    fn log_abs_det(&self, unconstrained: Flat<E, D>) -> Tensor<(), E, D>;

    /// Whether the set is discrete, so that it has no map from the real line.
    fn is_discrete(&self) -> bool {
        false
    }
}

/// The first element for which `holds` is false; NaN is outside every set.
fn first_outside<E: Dtype>(values: &[E], holds: impl Fn(E) -> bool) -> Option<usize> {
    values.iter().position(|&v| v.is_nan() || !holds(v))
}

/// Any real number.
#[derive(Clone, Copy, Debug, Default)]
pub struct Real;

impl<E: Dtype, D: Backend<E>> Constraint<E, D> for Real {
    fn describe(&self) -> String {
        "a finite real number".into()
    }
    fn violation(&self, values: &[E]) -> Option<usize> {
        first_outside(values, E::is_finite)
    }
    fn transform(&self, unconstrained: Flat<E, D>) -> Flat<E, D> {
        unconstrained
    }
    fn inverse(&self, constrained: Flat<E, D>) -> Flat<E, D> {
        constrained
    }
    fn log_abs_det(&self, _: Flat<E, D>) -> Tensor<(), E, D> {
        Tensor::zeros()
    }
}

/// Numbers above zero, by the exponential.
#[derive(Clone, Copy, Debug, Default)]
pub struct Positive;

impl<E: Dtype, D: Backend<E>> Constraint<E, D> for Positive {
    fn describe(&self) -> String {
        "positive and finite".into()
    }
    fn violation(&self, values: &[E]) -> Option<usize> {
        first_outside(values, |v| v > E::of(0.0) && v.is_finite())
    }
    fn transform(&self, unconstrained: Flat<E, D>) -> Flat<E, D> {
        unconstrained.exp()
    }
    fn inverse(&self, constrained: Flat<E, D>) -> Flat<E, D> {
        constrained.ln()
    }
    fn log_abs_det(&self, unconstrained: Flat<E, D>) -> Tensor<(), E, D> {
        unconstrained.sum_all()
    }
}

/// Numbers from zero up, by the exponential (which never reaches zero).
#[derive(Clone, Copy, Debug, Default)]
pub struct NonNegative;

impl<E: Dtype, D: Backend<E>> Constraint<E, D> for NonNegative {
    fn describe(&self) -> String {
        "not negative, and finite".into()
    }
    fn violation(&self, values: &[E]) -> Option<usize> {
        first_outside(values, |v| v >= E::of(0.0) && v.is_finite())
    }
    fn transform(&self, unconstrained: Flat<E, D>) -> Flat<E, D> {
        unconstrained.exp()
    }
    fn inverse(&self, constrained: Flat<E, D>) -> Flat<E, D> {
        constrained.ln()
    }
    fn log_abs_det(&self, unconstrained: Flat<E, D>) -> Tensor<(), E, D> {
        unconstrained.sum_all()
    }
}

/// 0 or 1.
#[derive(Clone, Copy, Debug, Default)]
pub struct Boolean;

/// Whole numbers from zero up to a bound.
#[derive(Clone, Copy, Debug)]
pub struct IntegerRange {
    /// The largest admissible number.
    pub high: usize,
}

macro_rules! discrete {
    ($Name:ident, |$this:ident| $describe:expr, |$v:ident| $holds:expr) => {
        impl<E: Dtype, D: Backend<E>> Constraint<E, D> for $Name {
            fn describe(&self) -> String {
                let $this = self;
                $describe
            }
            fn violation(&self, values: &[E]) -> Option<usize> {
                let $this = self;
                first_outside(values, |$v| $holds)
            }
            fn transform(&self, unconstrained: Flat<E, D>) -> Flat<E, D> {
                unconstrained
            }
            fn inverse(&self, constrained: Flat<E, D>) -> Flat<E, D> {
                constrained
            }
            fn log_abs_det(&self, _: Flat<E, D>) -> Tensor<(), E, D> {
                Tensor::zeros()
            }
            fn is_discrete(&self) -> bool {
                true
            }
        }
    };
}

discrete!(Boolean, |_this| "0 or 1".into(), |v| v == E::of(0.0) || v == E::of(1.0));
discrete!(IntegerRange, |this| format!("a whole number in 0..={}", this.high), |v| v >= E::of(0.0)
    && v.wide() <= this.high as f64
    && v == v.round());
