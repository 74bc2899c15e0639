//! [`Tensor`]: one type for data, parameters and values; a vector of the host's, or dfdx's tensor on other devices.
//!
//! Only this module, `autodiff` and `backend` name dfdx's tensor. Every `Tensor` is contiguous in
//! row-major order: broadcasts and permutations copy, so a kernel may always read it as a slice.

use std::fmt;
use std::sync::Arc;

use dfdx::prelude::ReshapeTo;
use dfdx::shapes::{ConstShape, HasShape, Shape, Unit};
use dfdx::tensor::{AsArray, Cpu, NoneTape, PutTape, SplitTape, Storage, TensorFromVec, TensorToArray};

use crate::autodiff::{GradTape, Identity, is_recording, record, take_from_dfdx};
use crate::backend::{Backend, Device};
use crate::dtype::Dtype;
use crate::error::ShapeError;

// Making tensors from numbers, arrays and vectors.
mod construct;
// `+ - * /` on references and values, in either order, with numbers and scalar tensors.
mod operators;

pub use construct::{IntoTensor, Operand};
pub use operators::Joint;

/// dfdx's tensor without a tape.
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
    data: Data<E, D>,
    shape: S,
    /// Whether operations on this tensor are recorded.
    pub(crate) tracked: bool,
    /// What it is known by in a map of gradients.
    pub(crate) id: Identity,
}

/// Where the elements are.
enum Data<E: Unit, D: Storage<E>> {
    /// In a vector of the host's, on devices that say so ([`Device::ON_HOST`]).
    Host(Arc<Vec<E>>),
    /// A single one there.
    Number(E),
    /// In a tensor of dfdx's, on all others.
    Device(Inner<(usize,), E, D>),
}

impl<S: Shape, E: Unit, D: Storage<E>> Clone for Tensor<S, E, D> {
    fn clone(&self) -> Self {
        let data = match &self.data {
            Data::Host(values) => Data::Host(values.clone()),
            Data::Number(value) => Data::Number(*value),
            Data::Device(inner) => Data::Device(inner.clone()),
        };
        Tensor { data, shape: self.shape, tracked: self.tracked, id: self.id }
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
    /// A tensor that no other one shares its gradient with.
    fn new(data: Data<E, D>, shape: S, tracked: bool) -> Self {
        Tensor { data, shape, tracked, id: Identity::fresh() }
    }

    /// [`Tensor::new`] of numbers of the host's; for devices whose tensors they are.
    pub(crate) fn of_host(values: Vec<E>, shape: S, tracked: bool) -> Self {
        debug_assert_eq!(values.len(), shape.num_elements(), "elements of a tensor");
        let data = if let [value] = values[..] { Data::Number(value) } else { Data::Host(Arc::new(values)) };
        Tensor::new(data, shape, tracked)
    }

    /// [`Tensor::of_host`] of one number.
    pub(crate) fn of_number(value: E, shape: S, tracked: bool) -> Self {
        debug_assert_eq!(shape.num_elements(), 1, "elements of a tensor");
        Tensor::new(Data::Number(value), shape, tracked)
    }

    /// [`Tensor::new`] of dfdx's; for all other devices.
    pub(crate) fn of_device(inner: Inner<(usize,), E, D>, shape: S, tracked: bool) -> Self {
        Tensor::new(Data::Device(inner), shape, tracked)
    }

    /// The elements, where they are the host's.
    pub(crate) fn on_host(&self) -> Option<&[E]> {
        match &self.data {
            Data::Host(values) => Some(values),
            Data::Number(value) => Some(std::slice::from_ref(value)),
            Data::Device(_) => None,
        }
    }

    /// dfdx's tensor, where the elements are in one.
    pub(crate) fn on_device(&self) -> Option<&Inner<(usize,), E, D>> {
        if let Data::Device(inner) = &self.data { Some(inner) } else { None }
    }

    /// The shape, as dfdx's type.
    pub fn shape(&self) -> S {
        self.shape
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
        match &self.data {
            Data::Host(values) => values.to_vec(),
            Data::Number(value) => vec![*value],
            Data::Device(inner) => elements_of(inner),
        }
    }

    /// The elements as nested arrays (or vectors where a dimension is `usize`).
    pub fn array(&self) -> <D as TensorToArray<S, E>>::Array
    where
        D: TensorToArray<S, E> + Device + TensorFromVec<E>,
    {
        D::with_current(|device| device.tensor_from_vec(self.to_vec(), self.shape)).array()
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
        impl<S: Shape, D: Device + TensorFromVec<$E>> Tensor<S, $E, D> {
            /// The tensor as dfdx's, with our tape, for dfdx's own modules and operations.
            pub fn into_dfdx(self) -> dfdx::tensor::Tensor<S, $E, D, GradTape> {
                let inner = D::with_current(|device| device.tensor_from_vec(self.to_vec(), self.shape));
                inner.put_tape(GradTape { tracked: self.tracked })
            }
        }
    )*};
}

untracked_into_dfdx!(usize bool);

impl<S: Shape, E: Dtype, D: Backend<E>> Tensor<S, E, D> {
    /// The tensor as dfdx's, with our tape, for dfdx's own modules and operations. Gradients come back from them where this is
    /// called under the recorder of those operations.
    pub fn into_dfdx(self) -> dfdx::tensor::Tensor<S, E, D, GradTape> {
        let tape = GradTape { tracked: self.tracked };
        let values = match self.data {
            Data::Host(values) => Arc::unwrap_or_clone(values),
            Data::Number(value) => vec![value],
            Data::Device(inner) => return inner.reshape_like(&self.shape).put_tape(tape),
        };
        let inner = D::with_current(|device| device.tensor_from_vec(values, self.shape));
        if self.tracked && is_recording() {
            let (id, inner) = (self.id, inner.clone());
            record::<E, D>(move |store| {
                let gains = take_from_dfdx(store.dfdx(), &inner)?;
                store.add_by(id, gains);
                Ok(())
            });
        }
        inner.put_tape(tape)
    }

    /// Wraps dfdx's tensor, with or without our tape; copies where it is not contiguous.
    pub fn from_dfdx<T: Into<GradTape>>(tensor: dfdx::tensor::Tensor<S, E, D, T>) -> Self {
        let (data, tape) = tensor.split_tape();
        let (inner, GradTape { tracked }) = data.put_tape(tape.into()).contiguous().split_tape();
        let shape = *inner.shape();
        if !D::ON_HOST {
            return Tensor::of_device(inner.reshape_like(&(shape.num_elements(),)), shape, tracked);
        }
        let tensor = Tensor::of_host(elements_of(&inner), shape, tracked);
        if tracked && is_recording() {
            let id = tensor.id;
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
        Tensor::from_vec(self.to_vec(), self.shape())
    }

    /// Whether the other tensor is known to be this one: the same data, tracked or not as this one is.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (&self.data, &other.data) {
            (Data::Host(a), Data::Host(b)) => self.tracked == other.tracked && Arc::ptr_eq(a, b),
            (Data::Number(a), Data::Number(b)) => self.tracked == other.tracked && self.id == other.id && a == b,
            _ => false,
        }
    }

    /// Seen as one axis; shares the data and the place in the tape.
    pub(crate) fn flat(&self) -> Flat<E, D> {
        self.clone().into_flat()
    }

    /// Like [`Tensor::flat`], by value.
    pub(crate) fn into_flat(self) -> Flat<E, D> {
        let n = self.numel();
        Tensor { data: self.data, shape: (n,), tracked: self.tracked, id: self.id }
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
        Ok(Tensor { data: self.data, shape: *shape, tracked: self.tracked, id: self.id })
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
        self.read(|values| values[0])
    }

    /// Lends the elements to `f`: without a copy on the CPU.
    pub fn read<R>(&self, f: impl FnOnce(&[E]) -> R) -> R {
        match &self.data {
            Data::Host(values) => f(values),
            Data::Number(value) => f(std::slice::from_ref(value)),
            Data::Device(inner) => f(&elements_of(inner)),
        }
    }

    /// Lends the elements to `f` to be changed: in place on the host, where no other tensor shares them.
    pub(crate) fn change(&mut self, f: &mut dyn FnMut(&mut [E])) {
        match &mut self.data {
            Data::Host(values) => f(Arc::<Vec<E>>::make_mut(values).as_mut_slice()),
            Data::Number(value) => f(std::slice::from_mut(value)),
            Data::Device(inner) => {
                let mut values = elements_of(inner);
                f(&mut values);
                inner.copy_from(&values);
            }
        }
    }
}

/// The elements of a tensor of dfdx's, which reads a first one even where there is none.
pub(crate) fn elements_of<S: Shape, E: Unit, D: Storage<E>>(tensor: &Inner<S, E, D>) -> Vec<E> {
    if tensor.shape().num_elements() == 0 { Vec::new() } else { tensor.as_vec() }
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
