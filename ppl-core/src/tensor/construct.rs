//! Making tensors from numbers, arrays and vectors.

use dfdx::shapes::{ConstShape, Rank1, Rank2, Rank3, Shape, Unit};
use dfdx::tensor::TensorFromVec;

use super::Tensor;
use crate::backend::{Backend, Device};
use crate::dtype::Dtype;
use crate::error::ShapeError;

impl<S: Shape, E: Unit, D: Device + TensorFromVec<E>> Tensor<S, E, D> {
    /// A tensor of the given shape from its elements in row-major order.
    ///
    /// # Errors
    /// If there are more or fewer elements than the shape has.
    pub fn try_from_vec(values: Vec<E>, shape: S) -> Result<Self, ShapeError> {
        if values.len() != shape.num_elements() {
            return Err(ShapeError {
                operation: "from_vec",
                problem: "the number of elements is not the shape's",
                left: vec![values.len()],
                right: shape.concrete().into(),
            });
        }
        if D::ON_HOST {
            return Ok(Tensor::of_host(values, shape, false));
        }
        let len = (values.len(),);
        Ok(Tensor::of_device(D::with_current(|device| device.tensor_from_vec(values, len)), shape, false))
    }

    /// Like [`Tensor::try_from_vec`].
    ///
    /// # Panics
    /// If there are more or fewer elements than the shape has.
    #[track_caller]
    pub fn from_vec(values: Vec<E>, shape: S) -> Self {
        Self::try_from_vec(values, shape).unwrap_or_else(|error| panic!("{error}"))
    }

    /// A tensor with the same number everywhere.
    pub fn full_like(value: E, shape: S) -> Self {
        Self::from_vec(vec![value; shape.num_elements()], shape)
    }
}

impl<S: ConstShape, E: Unit, D: Device + TensorFromVec<E>> Tensor<S, E, D> {
    /// A tensor of a shape known at compile time with the same number everywhere.
    pub fn full(value: E) -> Self {
        Self::full_like(value, S::default())
    }
}

impl<S: ConstShape, E: Dtype, D: Backend<E>> Tensor<S, E, D> {
    /// Zeros of a shape known at compile time.
    pub fn zeros() -> Self {
        Self::full(E::of(0.0))
    }

    /// Ones of a shape known at compile time.
    pub fn ones() -> Self {
        Self::full(E::of(1.0))
    }
}

impl<E: Unit, D: Device + TensorFromVec<E>> Tensor<(), E, D> {
    /// A tensor of one number.
    fn of_one(value: E) -> Self {
        if D::ON_HOST { Tensor::of_number(value, (), false) } else { Self::from_vec(vec![value], ()) }
    }
}

impl<E: Dtype, D: Backend<E>> Tensor<(), E, D> {
    /// A tensor without axes.
    pub fn scalar(value: impl Into<f64>) -> Self {
        Self::of_one(E::of(value.into()))
    }
}

impl<E: Dtype, D: Backend<E>> Tensor<(usize,), E, D> {
    /// A vector whose length is known only at run time.
    pub fn vector(values: Vec<E>) -> Self {
        let n = values.len();
        Self::from_vec(values, (n,))
    }
}

impl<E: Unit, D: Device + TensorFromVec<E>> From<E> for Tensor<(), E, D> {
    fn from(value: E) -> Self {
        Self::of_one(value)
    }
}

impl<const N: usize, E: Unit, D: Device + TensorFromVec<E>> From<[E; N]> for Tensor<Rank1<N>, E, D> {
    fn from(values: [E; N]) -> Self {
        Self::from_vec(values.to_vec(), Default::default())
    }
}

impl<const M: usize, const N: usize, E: Unit, D: Device + TensorFromVec<E>> From<[[E; N]; M]>
    for Tensor<Rank2<M, N>, E, D>
{
    fn from(values: [[E; N]; M]) -> Self {
        Self::from_vec(values.concat(), Default::default())
    }
}

impl<const L: usize, const M: usize, const N: usize, E: Unit, D: Device + TensorFromVec<E>> From<[[[E; N]; M]; L]>
    for Tensor<Rank3<L, M, N>, E, D>
{
    fn from(values: [[[E; N]; M]; L]) -> Self {
        Self::from_vec(values.concat().concat(), Default::default())
    }
}

/// What can stand for a tensor of shape `S` as an argument: the tensor, a reference to it, a
/// scalar tensor, or a number. The last two take the shape of the other arguments.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand for a tensor of shape `{S}` with elements `{E}`",
    note = "give a tensor of that shape, a scalar tensor, or a number; nothing else is broadcast silently"
)]
pub trait IntoTensor<S: Shape, E: Dtype, D: Backend<E>> {
    /// The tensor, or the scalar that is to be spread over the shape.
    fn into_operand(self) -> Operand<S, E, D>;
}

/// An argument that has a shape of its own, or takes that of its neighbours.
#[derive(Clone, Debug)]
pub enum Operand<S: Shape, E: Dtype, D: Backend<E>> {
    /// A tensor of the full shape.
    Full(Tensor<S, E, D>),
    /// One number for every element.
    Scalar(Tensor<(), E, D>),
    /// The same of a number that is no tensor, and has no gradient.
    Number(f64),
}

impl<S: Shape, E: Dtype, D: Backend<E>> Operand<S, E, D> {
    /// The shape, where this operand has one.
    pub fn shape(&self) -> Option<S> {
        match self {
            Operand::Full(tensor) => Some(tensor.shape()),
            Operand::Scalar(_) | Operand::Number(_) => shape_without_axes::<S>(),
        }
    }

    /// The operand for a kernel, which takes one element for all.
    pub(crate) fn flat(&self) -> super::Flat<E, D> {
        match self {
            Operand::Full(tensor) => tensor.flat(),
            Operand::Scalar(tensor) => tensor.flat(),
            Operand::Number(number) => Tensor::vector(vec![E::of(*number)]),
        }
    }

    /// The number of its own elements: one where it is one number.
    pub(crate) fn numel(&self) -> usize {
        if let Operand::Full(tensor) = self { tensor.numel() } else { 1 }
    }

    /// Whether operations on it are recorded.
    pub(crate) fn is_tracked(&self) -> bool {
        match self {
            Operand::Full(tensor) => tensor.tracked,
            Operand::Scalar(tensor) => tensor.tracked,
            Operand::Number(_) => false,
        }
    }

    /// The number for every element, in the dtype's digits, where this is one and has no gradient.
    pub(crate) fn given(&self) -> Option<f64> {
        match self {
            Operand::Number(number) => Some(E::of(*number).wide()),
            Operand::Scalar(tensor) => (!tensor.tracked).then(|| tensor.item().wide()),
            Operand::Full(tensor) => (!tensor.tracked && tensor.numel() == 1).then(|| tensor.item().wide()),
        }
    }

    /// The operand with `f` of its tensor, whatever its shape, in the tensor's place.
    pub(crate) fn each(&self, f: impl FnOnce(super::Flat<E, D>) -> super::Flat<E, D>) -> Self {
        match self {
            Operand::Full(tensor) => Operand::Full(f(tensor.flat()).reshape_like(&tensor.shape())),
            Operand::Scalar(_) | Operand::Number(_) => Operand::Scalar(f(self.flat()).reshape_like(&())),
        }
    }

    /// The operand repeated to a larger shape: axes are matched from the last one, an axis of one
    /// element is repeated, missing ones at the front are added.
    ///
    /// # Panics
    /// If another axis differs, with both shapes.
    #[track_caller]
    pub(crate) fn expand<R: Shape>(&self, shape: R) -> Operand<R, E, D> {
        match self {
            Operand::Scalar(tensor) => Operand::Scalar(tensor.clone()),
            Operand::Number(number) => Operand::Number(*number),
            Operand::Full(tensor) if tensor.numel() == 1 => Operand::Scalar(tensor.clone().reshape_like(&())),
            Operand::Full(tensor) => Operand::Full(tensor.expand(shape)),
        }
    }

    /// The full tensor of a shape that it must have or take.
    pub fn spread(&self, shape: S) -> Tensor<S, E, D> {
        match self {
            Operand::Full(tensor) => tensor.clone(),
            Operand::Scalar(tensor) => tensor.spread(shape),
            Operand::Number(number) => Tensor::full_like(E::of(*number), shape),
        }
    }
}

/// The shape `S` if it is the one without axes.
fn shape_without_axes<S: Shape>() -> Option<S> {
    if S::NUM_DIMS == 0 { S::from_concrete(&S::Concrete::default()) } else { None }
}

impl<S: Shape, E: Dtype, D: Backend<E>> IntoTensor<S, E, D> for Tensor<S, E, D> {
    fn into_operand(self) -> Operand<S, E, D> {
        Operand::Full(self)
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> IntoTensor<S, E, D> for &Tensor<S, E, D> {
    fn into_operand(self) -> Operand<S, E, D> {
        Operand::Full(self.clone())
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> IntoTensor<S, E, D> for f64 {
    fn into_operand(self) -> Operand<S, E, D> {
        Operand::Number(self)
    }
}

impl<S: Shape, D: Backend<f32>> IntoTensor<S, f32, D> for f32 {
    fn into_operand(self) -> Operand<S, f32, D> {
        Operand::Number(f64::from(self))
    }
}

macro_rules! scalar_tensor_operand {
    ($(($($dim:ident),+) [usize; $rank:literal]);+) => {$(
        impl<$($dim: dfdx::shapes::Dim,)+ E: Dtype, D: Backend<E>> IntoTensor<($($dim,)+), E, D> for Tensor<(), E, D> {
            fn into_operand(self) -> Operand<($($dim,)+), E, D> {
                Operand::Scalar(self)
            }
        }
        impl<$($dim: dfdx::shapes::Dim,)+ E: Dtype, D: Backend<E>> IntoTensor<($($dim,)+), E, D> for &Tensor<(), E, D> {
            fn into_operand(self) -> Operand<($($dim,)+), E, D> {
                Operand::Scalar(self.clone())
            }
        }
        impl<E: Dtype, D: Backend<E>> IntoTensor<[usize; $rank], E, D> for Tensor<(), E, D> {
            fn into_operand(self) -> Operand<[usize; $rank], E, D> {
                Operand::Scalar(self)
            }
        }
    )+};
}

scalar_tensor_operand! {
    (A) [usize; 1];
    (A, B) [usize; 2];
    (A, B, C) [usize; 3];
    (A, B, C, F) [usize; 4];
    (A, B, C, F, G) [usize; 5];
    (A, B, C, F, G, H) [usize; 6]
}
