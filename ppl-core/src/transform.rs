//! Smooth maps of numbers and of rows of numbers, with their inverses and Jacobians: what
//! constraints and transformed distributions are made of.
//!
//! They work on flat tensors, so that one object serves tensors of every shape, and gradients flow
//! through all of them. As in `torch.distributions.transforms`.

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::shared::Shared;
use crate::tensor::Tensor;

// Numbers strictly inside an interval, whatever rounding does.
mod inside;
// Maps of single numbers, with their derivatives.
mod element;
// Maps of rows, with what flows back.
mod row;
// The map that changes nothing.
mod identity;
// The exponential and the logarithm.
mod exp;
// The logistic function and its inverse.
mod sigmoid;
// The hyperbolic tangent.
mod tanh;
// The smooth positive part.
mod softplus;
// The absolute value.
mod abs;
// Location and scale.
mod affine;
// Powers of positive numbers.
mod power;
// Onto one side of a bound.
mod half_line;
// Into an interval.
mod interval;
// Onto the simplex, keeping the length.
mod softmax;
// Onto the simplex, one to one.
mod stick_breaking;
// Onto increasing numbers.
mod ordered;
// Onto the unit sphere.
mod unit_vector;
// Cholesky factors of small matrices.
pub(crate) mod cholesky;
// Onto Cholesky factors and positive-definite matrices.
mod lower_cholesky;
// Location and a lower triangular matrix.
mod lower_cholesky_affine;
// Onto correlation matrices and their factors.
mod corr_cholesky;
// Picking and reordering.
mod permute;
// Onto sets of one element.
mod ones;
// One after another, and backwards.
mod compose;

pub use abs::Abs;
pub use affine::Affine;
pub use compose::{Compose, Inverse};
pub use corr_cholesky::{CorrCholesky, CorrMatrix};
pub use element::ElementMap;
pub use exp::{Exp, Log};
pub use half_line::IntoHalfLine;
pub use identity::Identity;
pub use interval::IntoInterval;
pub use lower_cholesky::{LowerCholesky, PositiveDefinite};
pub use lower_cholesky_affine::LowerCholeskyAffine;
pub use ones::Ones;
pub use ordered::Ordered;
pub use permute::{LowerTriangle, Permute};
pub use power::Power;
pub use sigmoid::{Logit, Sigmoid};
pub use softmax::Softmax;
pub use softplus::Softplus;
pub use stick_breaking::StickBreaking;
pub use tanh::Tanh;
pub use unit_vector::UnitVector;

/// A tensor seen as one axis.
pub type Flat<E, D> = Tensor<(usize,), E, D>;

/// Which elements of a parameter are positive, for `count` elements of a map; it may be one number.
fn positive<E: Dtype, D: Backend<E>>(parameter: &Flat<E, D>, count: usize) -> Vec<bool> {
    parameter.read(|p| (0..count).map(|i| p[if p.len() == 1 { 0 } else { i }] > E::of(0.0)).collect())
}

/// A parameter of a [repeated](Transform::repeated) map: the same if it is one number, or its parts in turn.
pub fn repeat_parameter<E: Dtype, D: Backend<E>>(parameter: &Flat<E, D>, parts: &[usize], count: usize) -> Flat<E, D> {
    if parameter.numel() == 1 {
        return parameter.clone();
    }
    let len = parameter.numel().checked_div(count).unwrap_or(0);
    D::take(parameter.clone(), parts.iter().flat_map(|part| part * len..(part + 1) * len).collect())
}

/// A transform shared by reference.
pub type Map<E, D> = Arc<dyn Transform<E, D>>;

/// A smooth map of rows of numbers; element-wise maps have rows of one number.
///
/// Where the exact image of a finite number is open (positive, inside an interval), rounding does not
/// reach its ends: the nearest number inside is given, with the derivative of the exact map.
///
/// # Panics
/// All three maps panic if their argument does not hold whole rows, with both sizes.
pub trait Transform<E: Dtype, D: Backend<E>>: Any + Debug + Shared {
    /// Its name in errors.
    fn name(&self) -> &'static str;

    /// How many numbers one event has at the input and at the output: (1, 1) for element-wise maps,
    /// (K−1, K) for stick-breaking.
    fn event_lens(&self) -> (usize, usize) {
        (1, 1)
    }

    /// Whether it is one to one, so that it has an inverse and a Jacobian.
    fn is_bijective(&self) -> bool {
        true
    }

    /// For a one-to-one map of numbers, whether it increases, for each of `count` elements. Tried at two
    /// points unless the map knows: they lie in every domain that such a map has here (the line, its
    /// positive half, (0, 1)), but a map may round them to one number.
    fn increases(&self, count: usize) -> Vec<bool> {
        let at = |x: f64| self.forward(Flat::vector(vec![E::of(x); count])).to_vec();
        at(0.25).into_iter().zip(at(0.5)).map(|(low, high)| low <= high).collect()
    }

    /// The map of a longer argument, made of parts of which each repeats one of `count` equal parts of
    /// an argument that this map takes: `parts` says which. `None` where the map takes arguments of any
    /// length; a map with a parameter for each number of its argument must repeat it ([`repeat_parameter`]).
    fn repeated(&self, _parts: &[usize], _count: usize) -> Option<Map<E, D>> {
        None
    }

    /// The image of `x`.
    fn forward(&self, x: Flat<E, D>) -> Flat<E, D>;

    /// What has the image `y`; one of those that have it where the map is not one to one.
    fn inverse(&self, y: Flat<E, D>) -> Flat<E, D>;

    /// ln |det J| of [`Transform::forward`] at `x`, whose image is `y`: one number an event. Between
    /// spaces of different sizes (a simplex, correlations), J is that of the free coordinates of `y`.
    fn log_abs_det(&self, x: &Flat<E, D>, y: &Flat<E, D>) -> Flat<E, D>;
}
