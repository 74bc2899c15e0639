//! The shapes and elements of distributions' parameters.

use dfdx::shapes::Shape;

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::error::Error;
use crate::tensor::Operand;

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

/// A parameter at one element of the batch.
pub(super) fn number_at<S: Shape, E: Dtype, D: Backend<E>>(operand: &Operand<S, E, D>, element: usize) -> f64 {
    operand.flat().read(|values| values.get(element).or(values.first()).map_or(f64::NAN, |v| v.wide()))
}
