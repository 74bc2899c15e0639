//! [`Tensor`]: one type for data, parameters and values; a newtype over dfdx's tensor.
//!
//! Only this module, `autodiff` and `backend` name dfdx's tensor. Every `Tensor` is contiguous in
//! row-major order: broadcasts and permutations copy, so a kernel may always read it as a slice.

use std::fmt;

use dfdx::prelude::ReshapeTo;
use dfdx::shapes::{ConstShape, Shape, Unit};
use dfdx::tensor::{AsArray, Cpu, NoneTape, PutTape, SplitTape, Storage, TensorToArray};

use crate::autodiff::{GradTape, Identity, is_recording, record, take_from_dfdx};
use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::error::ShapeError;

// Making tensors from numbers, arrays and vectors.
mod construct;
// `+ - * /` on references and values, in either order, with numbers and scalar tensors.
mod operators;

pub use construct::{IntoTensor, Operand};
pub use operators::Joint;

/// dfdx's tensor, which holds the data.
pub(crate) type Inner<S, E, D> = dfdx::tensor::Tensor<S, E, D>;

/// dfdx's tensor with our tape, for dfdx's own operations and modules.
pub(crate) type Taped<S, E, D> = dfdx::tensor::Tensor<S, E, D, GradTape>;

/// A tensor whose shape is seen as one axis; how kernels take their arguments.
pub(crate) type Flat<E, D> = Tensor<(usize,), E, D>;

/// A dense array of shape `S` on device `D`, with elements `E`: [`f32`], [`f64`], [`usize`] for
/// categories and indices, or `bool` for masks.
///
/// Shapes are dfdx's: constants ([`crate::Rank2<3, 4>`](crate::Rank2)), `usize`, or both, such as
/// `(usize, Const<784>)`. A clone shares the data. Operations on [tracked](Tensor::tracked)
/// tensors are recorded for [`grad`](crate::autodiff::grad).
pub struct Tensor<S: Shape, E: Unit = f32, D: Storage<E> = Cpu> {
    pub(crate) inner: Inner<S, E, D>,
    /// Whether operations on this tensor are recorded.
    pub(crate) tracked: bool,
    /// What it is known by in a map of gradients.
    pub(crate) id: Identity,
}

impl<S: Shape, E: Unit, D: Storage<E>> Clone for Tensor<S, E, D> {
    fn clone(&self) -> Self {
        Tensor { inner: self.inner.clone(), tracked: self.tracked, id: self.id }
    }
}

impl<S: Shape, E: Unit, D: Storage<E>> fmt::Debug for Tensor<S, E, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 8;
        let values = self.to_vec();
        write!(f, "Tensor{:?} {:?}", self.dims(), &values[..values.len().min(SHOWN)])?;
        if values.len() > SHOWN { write!(f, "…") } else { Ok(()) }
    }
}

impl<S: Shape, E: Unit, D: Storage<E>> PartialEq for Tensor<S, E, D> {
    /// Equal shapes and equal elements; whether they are tracked does not matter.
    fn eq(&self, other: &Self) -> bool {
        self.dims() == other.dims() && self.to_vec() == other.to_vec()
    }
}

impl<S: Shape, E: Unit, D: Storage<E>> Tensor<S, E, D> {
    /// A constant.
    pub(crate) fn constant(inner: Inner<S, E, D>) -> Self {
        Tensor::new(inner, false)
    }

    /// A tensor that no other one shares its gradient with.
    pub(crate) fn new(inner: Inner<S, E, D>, tracked: bool) -> Self {
        Tensor { inner, tracked, id: Identity::fresh() }
    }

    /// The shape, as dfdx's type.
    pub fn shape(&self) -> S {
        *dfdx::shapes::HasShape::shape(&self.inner)
    }

    /// The shape as numbers.
    pub fn dims(&self) -> Vec<usize> {
        self.shape().concrete().into()
    }

    /// The number of elements.
    pub fn numel(&self) -> usize {
        self.shape().num_elements()
    }

    /// The elements in row-major order, copied to the host.
    pub fn to_vec(&self) -> Vec<E> {
        // dfdx reads a first element even where there is none.
        if self.numel() == 0 { Vec::new() } else { self.inner.as_vec() }
    }

    /// The elements as nested arrays (or vectors where a dimension is `usize`).
    pub fn array(&self) -> <D as TensorToArray<S, E>>::Array
    where
        D: TensorToArray<S, E>,
    {
        self.inner.array()
    }

    /// Whether operations on this tensor are recorded.
    pub fn is_tracked(&self) -> bool {
        self.tracked
    }

    /// The same tensor as a leaf of differentiation: operations on it are recorded.
    #[must_use]
    pub fn tracked(&self) -> Self {
        Tensor { tracked: true, ..self.clone() }
    }

    /// The same tensor as a constant; it keeps its identity in a map of gradients.
    pub(crate) fn untracked(&self) -> Self {
        Tensor { tracked: false, ..self.clone() }
    }
}

macro_rules! untracked_into_dfdx {
    ($($E:ident)*) => {$(
        impl<S: Shape, D: Storage<$E>> Tensor<S, $E, D> {
            /// The tensor as dfdx's, with our tape, for dfdx's own modules and operations.
            pub fn into_dfdx(self) -> dfdx::tensor::Tensor<S, $E, D, GradTape> {
                self.inner.put_tape(GradTape { tracked: self.tracked })
            }
        }
    )*};
}

untracked_into_dfdx!(usize bool);

impl<S: Shape, E: Dtype, D: Backend<E>> Tensor<S, E, D> {
    /// The tensor as dfdx's, with our tape, for dfdx's own modules and operations.
    pub fn into_dfdx(self) -> dfdx::tensor::Tensor<S, E, D, GradTape> {
        if D::OWN_GRADIENTS && self.tracked && is_recording() {
            let (id, inner) = (self.id, self.inner.clone());
            record::<E, D>(move |store| {
                let gains = take_from_dfdx(store.dfdx(), &inner)?;
                store.add_by(id, gains);
                Ok(())
            });
        }
        self.inner.put_tape(GradTape { tracked: self.tracked })
    }

    /// Wraps dfdx's tensor, with or without our tape; copies where it is not contiguous.
    pub fn from_dfdx<T: Into<GradTape>>(tensor: dfdx::tensor::Tensor<S, E, D, T>) -> Self {
        let (data, tape) = tensor.split_tape();
        let (inner, tape) = data.put_tape(tape.into()).contiguous().split_tape();
        let tensor = Tensor::new(inner, tape.tracked);
        if D::OWN_GRADIENTS && tensor.tracked && is_recording() {
            let (id, inner) = (tensor.id, tensor.inner.clone());
            record::<E, D>(move |store| match store.take(id) {
                Some(gains) => D::add_to_dfdx(store.dfdx(), &inner, gains),
                None => Ok(()),
            });
        }
        tensor
    }

    /// The same values as a constant. Tracked again, it is a new leaf: nothing flows from it to
    /// what this tensor was computed from.
    #[must_use]
    pub fn detach(&self) -> Self {
        if !self.tracked {
            return self.clone();
        }
        // dfdx gives a new identity only together with a new buffer.
        Tensor::from_vec(D::read(&self.inner, <[E]>::to_vec), self.shape())
    }

    /// Whether the other tensor is known to be this one: the same data, tracked or not as this one is.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.tracked == other.tracked && D::share_buffer(&self.inner, &other.inner)
    }

    /// Seen as one axis; shares the data and the place in the tape.
    pub(crate) fn flat(&self) -> Flat<E, D> {
        self.clone().into_flat()
    }

    /// Like [`Tensor::flat`], by value.
    pub(crate) fn into_flat(self) -> Flat<E, D> {
        let n = self.numel();
        Tensor { inner: self.inner.reshape_like(&(n,)), tracked: self.tracked, id: self.id }
    }

    /// The same elements in another shape, given as a value; shares the data.
    ///
    /// # Errors
    /// If the numbers of elements differ.
    pub fn try_reshape_like<R: Shape>(self, shape: &R) -> Result<Tensor<R, E, D>, ShapeError> {
        if self.numel() != shape.num_elements() {
            return Err(ShapeError {
                operation: "reshape",
                problem: "the numbers of elements differ",
                left: self.dims(),
                right: shape.concrete().into(),
            });
        }
        Ok(Tensor { inner: self.inner.reshape_like(shape), tracked: self.tracked, id: self.id })
    }

    /// Like [`Tensor::try_reshape_like`].
    ///
    /// # Panics
    /// If the numbers of elements differ, with both shapes.
    #[track_caller]
    pub fn reshape_like<R: Shape>(self, shape: &R) -> Tensor<R, E, D> {
        self.try_reshape_like(shape).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The same elements in a shape known at compile time.
    ///
    /// # Panics
    /// If the numbers of elements differ, with both shapes.
    #[track_caller]
    pub fn reshape<R: ConstShape>(self) -> Tensor<R, E, D> {
        self.reshape_like(&R::default())
    }

    /// The same tensor under another shape type of equal sizes: `(usize, Const<3>)` to
    /// `(Const<2>, Const<3>)` and back.
    ///
    /// # Errors
    /// If the sizes differ; the error shows the sizes of the type, 0 where it leaves them open.
    pub fn realize<R: Shape>(self) -> Result<Tensor<R, E, D>, ShapeError> {
        let dims = self.dims();
        match shape_from_dims::<R>(&dims) {
            Some(shape) => self.try_reshape_like(&shape),
            None => Err(ShapeError {
                operation: "realize",
                problem: "the sizes differ from those of the type",
                left: dims,
                right: type_sizes::<R>(),
            }),
        }
    }

    /// The single element of a tensor that has exactly one.
    ///
    /// # Panics
    /// If it has none or several.
    #[track_caller]
    pub fn item(&self) -> E {
        assert_eq!(self.numel(), 1, "item() of a tensor of shape {:?}", self.dims());
        D::read(&self.inner, |values| values[0])
    }

    /// Lends the elements to `f`: without a copy on the CPU.
    pub fn read<R>(&self, f: impl FnOnce(&[E]) -> R) -> R {
        D::read(&self.inner, f)
    }
}

/// The shape of type `R` with these sizes, if there is one.
pub(crate) fn shape_from_dims<R: Shape>(dims: &[usize]) -> Option<R> {
    if dims.len() != R::NUM_DIMS {
        return None;
    }
    let mut concrete = R::Concrete::default();
    for (i, &dim) in dims.iter().enumerate() {
        concrete[i] = dim;
    }
    R::from_concrete(&concrete)
}

/// The sizes that the type `R` fixes, with 0 where it leaves them open; for errors only, since it
/// reads the type's name, the one place where the sizes of a failed conversion still stand.
pub(crate) fn type_sizes<R: Shape>() -> Vec<usize> {
    let size = |axis: &str| axis.split_once("Const<")?.1.split('>').next()?.parse().ok();
    let axes = std::any::type_name::<R>().split(',').map(|axis| size(axis).unwrap_or(0));
    axes.chain(std::iter::repeat(0)).take(R::NUM_DIMS).collect()
}

impl From<NoneTape> for GradTape {
    fn from(_: NoneTape) -> Self {
        GradTape { tracked: false }
    }
}
