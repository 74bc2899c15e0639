//! Sets that parameters and values live in, and smooth maps onto them from unconstrained numbers.
//!
//! A constraint works on flat tensors, so that one object serves tensors of every shape; the sizes
//! say where rows and matrices begin. As in `torch.distributions.constraints`.

use std::fmt::Debug;
use std::sync::Arc;

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::shared::Shared;
use crate::transform::Map;

pub use crate::transform::Flat;

// Rows and matrices within a tensor.
mod event;
// Numbers between bounds.
mod interval;
// The real line and its halves.
mod half_line;
// Whole numbers.
mod discrete;
// Probabilities that sum to one.
mod simplex;
// Increasing numbers.
mod ordered;
// Positive-definite and correlation matrices, and their factors.
mod matrix;
// Vectors, and elements taken together.
mod vector;
// What a transform makes of a set.
mod image;
// Several sets.
mod union;
// What the components of a mixture cover together.
mod of_components;

pub use discrete::{
    Boolean, Counts, IntegerBounds, IntegerInterval, IntegerRange, NonNegativeInteger, OneHot, PositiveInteger,
};
pub(crate) use event::slack as simplex_slack;
pub use half_line::{GreaterThan, GreaterThanEq, LessThan, LessThanEq, LowerBound, NonNegative, Positive, Real};
pub(crate) use half_line::{LowerEnd, UpperEnd};
pub use image::Image;
pub use interval::{Bounds, Circular, HalfOpenInterval, Interval, UNIT_INTERVAL};
pub use matrix::{CorrCholesky, CorrMatrix, LowerCholesky, PositiveDefinite};
pub(crate) use matrix::{symmetry_slack, unit_row_slack};
pub(crate) use of_components::OfComponents;
pub use ordered::{Ordered, PositiveOrdered};
pub use simplex::Simplex;
pub use union::Union;
pub(crate) use union::outside;
pub use vector::{Independent, RealVector, Sphere};

/// A constraint shared by reference.
pub type Support<E, D> = Arc<dyn Constraint<E, D>>;

/// A set of admissible values, with smooth maps onto it from unconstrained numbers.
///
/// `dims` are the sizes of the tensor whose elements are given; where a set of vectors or matrices
/// is given too few of them, all elements are one event.
pub trait Constraint<E: Dtype, D: Backend<E>>: Debug + Shared + 'static {
    /// The words that follow "must be" in errors: "positive", "in [0, 1]".
    fn describe(&self) -> String;

    /// How many trailing axes one element of the set has: 1 for vectors, 2 for matrices.
    fn event_axes(&self) -> usize {
        0
    }

    /// The flat index of the first element that lies outside (NaN always does); where only a whole
    /// row or matrix can be wrong, of its first element.
    fn violation(&self, values: &[E], dims: &[usize]) -> Option<usize>;

    /// Which elements lie inside a set of numbers whose bounds differ from element to element; `None`
    /// for one that is the same for all.
    fn each_inside(&self, values: &[E]) -> Option<Vec<bool>> {
        let _ = values;
        None
    }

    /// Whether the set is discrete, so that it has no map from the real line.
    fn is_discrete(&self) -> bool {
        false
    }

    /// A one-to-one map onto the inside of the set, perhaps from fewer numbers than a value has;
    /// `None` where there is none. `dims` are those of a constrained value.
    fn biject_to(&self, dims: &[usize]) -> Option<Map<E, D>>;

    /// A map onto the inside of the set from as many numbers as a value has, perhaps not one to one
    /// (softmax onto the simplex); `None` where there is none. It maps zeros into the set.
    fn transform_to(&self, dims: &[usize]) -> Option<Map<E, D>> {
        self.biject_to(dims)
    }
}

/// [`Constraint::biject_to`] as a function.
pub fn biject_to<E: Dtype, D: Backend<E>>(constraint: &dyn Constraint<E, D>, dims: &[usize]) -> Option<Map<E, D>> {
    constraint.biject_to(dims)
}

/// [`Constraint::transform_to`] as a function.
pub fn transform_to<E: Dtype, D: Backend<E>>(constraint: &dyn Constraint<E, D>, dims: &[usize]) -> Option<Map<E, D>> {
    constraint.transform_to(dims)
}

/// The first element for which `holds` is false; NaN is outside every set.
fn first_outside<E: Dtype>(values: &[E], holds: impl Fn(E) -> bool) -> Option<usize> {
    values.iter().position(|&v| v.is_nan() || !holds(v))
}
