//! The shapes and elements of distributions' parameters.

use dfdx::shapes::{ReduceShape, Shape};

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::error::{Error, ShapeError};
use crate::tensor::{Flat, Operand, Tensor};

/// The last axis of a shape, as an axis of dfdx.
pub(super) type LastAxis<S> = <S as Shape>::LastAxis;

/// A shape without its last axis.
pub(super) type WithoutLast<S> = <S as ReduceShape<LastAxis<S>>>::Reduced;

/// The shape of the batch: that of the parameters which have one.
///
/// # Panics
/// If two differ, or none has one; the message names the distribution and the parameters.
#[track_caller]
pub(super) fn batch_shape<S: Shape, E: Dtype, D: Backend<E>>(
    distribution: &'static str,
    parameters: &[(&'static str, &Operand<S, E, D>)],
) -> S {
    let mut shaped = parameters.iter().filter_map(|(name, operand)| Some((*name, operand.shape()?)));
    let Some((first, shape)) = shaped.next() else {
        panic!("{distribution}: the parameters are numbers; use `filled(shape, ..)` for a batch of this shape");
    };
    if let Some((second, other)) = shaped.find(|(_, other)| *other != shape) {
        let (first_shape, second_shape) = (shape.concrete().into(), other.concrete().into());
        panic!("{}", Error::ParameterShapes { distribution, first, first_shape, second, second_shape });
    }
    shape
}

/// A value, or a probability, with one element for each of the batch.
///
/// # Panics
/// If it has another shape; the message has both.
pub(super) fn elements<S: Shape, E: Dtype, D: Backend<E>>(
    distribution: &'static str,
    value: &Tensor<S, E, D>,
    shape: S,
) -> Flat<E, D> {
    check_value_shape(distribution, value.shape(), shape);
    value.flat()
}

/// Checks that a value has the batch's shape.
///
/// # Panics
/// If not; the message has both.
pub(super) fn check_value_shape<S: Shape>(distribution: &'static str, value: S, batch: S) {
    if value != batch {
        let (left, right) = (value.concrete().into(), batch.concrete().into());
        let problem = "the value's shape is not the distribution's";
        panic!("{}", ShapeError { operation: distribution, problem, left, right });
    }
}

/// A parameter at one element of the batch.
pub(super) fn number_at<S: Shape, E: Dtype, D: Backend<E>>(operand: &Operand<S, E, D>, element: usize) -> f64 {
    let at = |values: &[E]| values.get(element).or(values.first()).map_or(f64::NAN, |v| v.wide());
    match operand {
        Operand::Full(tensor) => tensor.read(at),
        Operand::Scalar(tensor) => tensor.read(at),
        Operand::Number(number) => E::of(*number).wide(),
    }
}
