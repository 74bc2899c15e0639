//! Structs of tensors, walked by name: layers, networks, single tensors.

use std::any::Any;

use dfdx::shapes::Shape;

use crate::autodiff::Gradients;
use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::error::{Error, ShapeError};
use crate::shared::Shared;
use crate::tensor::Tensor;
use crate::transform::Flat;

/// A tensor of a module, whatever its shape.
pub trait ParamTensor<E: Dtype, D: Backend<E>> {
    /// Its sizes.
    fn dims(&self) -> Vec<usize>;

    /// Its elements in row-major order.
    fn to_vec(&self) -> Vec<E>;

    /// Makes it a leaf of differentiation.
    fn track(&mut self);

    /// Makes it a constant: nothing flows back to it.
    fn untrack(&mut self);

    /// Lends its elements and their gradient, to be updated in place.
    ///
    /// # Errors
    /// If the device fails.
    fn update(&mut self, grads: &mut Gradients<E, D>, f: &mut dyn FnMut(&mut [E], &mut [E])) -> Result<(), Error>;

    /// Its gradient, row-major; `None` for what does not learn.
    fn gradient(&self, grads: &Gradients<E, D>) -> Option<Vec<E>>;

    /// The sum of its elements times constants: what has a given gradient. `None` for what does not learn.
    ///
    /// # Errors
    /// If there are more or fewer constants than elements.
    fn weighed(&self, slopes: Vec<E>) -> Result<Option<Tensor<(), E, D>>, ShapeError>;

    /// Replaces its elements.
    ///
    /// # Errors
    /// If there are more or fewer of them; the tensor stays as it was.
    fn set(&mut self, values: &[E]) -> Result<(), ShapeError>;

    /// Replaces it by these numbers, row-major, from which its gradient then comes.
    ///
    /// # Errors
    /// If there are more or fewer of them; the tensor stays as it was.
    fn put(&mut self, numbers: &Flat<E, D>) -> Result<(), ShapeError>;

    /// Whether it is learned: not what only counts, such as running statistics.
    fn learns(&self) -> bool {
        true
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> ParamTensor<E, D> for Tensor<S, E, D> {
    fn dims(&self) -> Vec<usize> {
        Tensor::dims(self)
    }

    fn to_vec(&self) -> Vec<E> {
        Tensor::to_vec(self)
    }

    fn track(&mut self) {
        self.tracked = true;
    }

    fn untrack(&mut self) {
        self.tracked = false;
    }

    fn update(&mut self, grads: &mut Gradients<E, D>, f: &mut dyn FnMut(&mut [E], &mut [E])) -> Result<(), Error> {
        grads.update(self, f)
    }

    fn gradient(&self, grads: &Gradients<E, D>) -> Option<Vec<E>> {
        Some(grads.get(self)?.to_vec())
    }

    fn weighed(&self, slopes: Vec<E>) -> Result<Option<Tensor<(), E, D>>, ShapeError> {
        Ok(Some((self * Tensor::try_from_vec(slopes, self.shape())?).sum_all()))
    }

    fn set(&mut self, values: &[E]) -> Result<(), ShapeError> {
        let tracked = self.tracked;
        *self = Tensor::try_from_vec(values.to_vec(), self.shape())?;
        self.tracked = tracked;
        Ok(())
    }

    fn put(&mut self, numbers: &Flat<E, D>) -> Result<(), ShapeError> {
        *self = shaped(numbers, self.shape())?;
        Ok(())
    }
}

/// Numbers in a shape.
pub(crate) fn shaped<S: Shape, E: Dtype, D: Backend<E>>(
    numbers: &Flat<E, D>,
    shape: S,
) -> Result<Tensor<S, E, D>, ShapeError> {
    if numbers.numel() == shape.num_elements() {
        return Ok(numbers.clone().reshape_like(&shape));
    }
    let (left, right) = (numbers.dims(), shape.concrete().into());
    Err(ShapeError { operation: "lift", problem: "the counts differ", left, right })
}

/// A struct of tensors whose elements are parameters: layers, networks, a single tensor.
///
/// Derive it with `#[derive(Module)]`; every field that is not marked `#[module(skip)]` must be a
/// module itself.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a module",
    note = "a module is a tensor, a layer, or a struct of them with `#[derive(Module)]`; dfdx modules go through `nn::Dfdx`"
)]
pub trait Module<E: Dtype, D: Backend<E>>: Clone + Shared + 'static {
    /// Shows each tensor with its name.
    fn visit(&self, visitor: &mut Visitor<'_, E, D>);

    /// Lends each tensor with its name, in the same order.
    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, E, D>);
}

impl<S: Shape, E: Dtype, D: Backend<E>> Module<E, D> for Tensor<S, E, D> {
    fn visit(&self, visitor: &mut Visitor<'_, E, D>) {
        visitor.tensor(self);
    }

    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, E, D>) {
        visitor.tensor(self);
    }
}

impl<E: Dtype, D: Backend<E>, M: Module<E, D>> Module<E, D> for Vec<M> {
    fn visit(&self, visitor: &mut Visitor<'_, E, D>) {
        self.iter().enumerate().for_each(|(i, module)| visitor.field(&i.to_string(), module));
    }

    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, E, D>) {
        self.iter_mut().enumerate().for_each(|(i, module)| visitor.field(&i.to_string(), module));
    }
}

impl<E: Dtype, D: Backend<E>, M: Module<E, D>> Module<E, D> for Option<M> {
    fn visit(&self, visitor: &mut Visitor<'_, E, D>) {
        self.iter().for_each(|module| module.visit(visitor));
    }

    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, E, D>) {
        self.iter_mut().for_each(|module| module.visit_mut(visitor));
    }
}

/// The name of the tensor that a walk is at: fields joined by dots.
#[derive(Debug, Default)]
struct Path(String);

impl Path {
    /// Steps into a field; the result goes to [`Path::leave`].
    fn enter(&mut self, name: &str) -> usize {
        let outer = self.0.len();
        if outer > 0 {
            self.0.push('.');
        }
        self.0.push_str(name);
        outer
    }

    fn leave(&mut self, outer: usize) {
        self.0.truncate(outer);
    }
}

macro_rules! visitor {
    ($(#[$doc:meta])* $Visitor:ident, $visit:ident, $($reference:tt)+) => {
        $(#[$doc])*
        pub struct $Visitor<'f, E: Dtype, D: Backend<E>> {
            path: Path,
            f: &'f mut dyn FnMut(&str, $($reference)+ dyn ParamTensor<E, D>),
        }

        impl<'f, E: Dtype, D: Backend<E>> $Visitor<'f, E, D> {
            /// A walk that starts at the module `name` and calls `f` at each tensor.
            pub fn new(name: &str, f: &'f mut dyn FnMut(&str, $($reference)+ dyn ParamTensor<E, D>)) -> Self {
                $Visitor { path: Path(name.to_owned()), f }
            }

            /// A tensor at the place where the walk is.
            pub fn tensor(&mut self, tensor: $($reference)+ dyn ParamTensor<E, D>) {
                (self.f)(&self.path.0, tensor);
            }

            /// A tensor in a field of that name, or where the walk is if the name is empty.
            pub fn named(&mut self, name: &str, tensor: $($reference)+ dyn ParamTensor<E, D>) {
                let outer = if name.is_empty() { self.path.0.len() } else { self.path.enter(name) };
                self.tensor(tensor);
                self.path.leave(outer);
            }

            /// A field that is a module.
            pub fn field<M: Module<E, D>>(&mut self, name: &str, module: $($reference)+ M) {
                let outer = self.path.enter(name);
                module.$visit(self);
                self.path.leave(outer);
            }
        }
    };
}

visitor!(
    /// A walk over a module's tensors.
    Visitor, visit, &
);
visitor!(
    /// A walk over a module's tensors that may change them.
    VisitorMut, visit_mut, &mut
);

/// A module whose type is known only at run time.
pub trait ErasedModule<E: Dtype, D: Backend<E>>: Any + Shared {
    /// For downcasting.
    fn as_any(&self) -> &dyn Any;
    /// A copy that shares the tensors' data.
    fn boxed(&self) -> Box<dyn ErasedModule<E, D>>;
    /// Its type's name, for errors.
    fn type_name(&self) -> &'static str;
    /// Calls `f` with each tensor and its full name.
    fn each(&self, name: &str, f: &mut dyn FnMut(&str, &dyn ParamTensor<E, D>));
    /// Lends each tensor with its full name to `f`.
    fn each_mut(&mut self, name: &str, f: &mut dyn FnMut(&str, &mut dyn ParamTensor<E, D>));
}

impl<E: Dtype, D: Backend<E>, M: Module<E, D>> ErasedModule<E, D> for M {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn boxed(&self) -> Box<dyn ErasedModule<E, D>> {
        Box::new(self.clone())
    }

    fn type_name(&self) -> &'static str {
        std::any::type_name::<M>()
    }

    fn each(&self, name: &str, f: &mut dyn FnMut(&str, &dyn ParamTensor<E, D>)) {
        self.visit(&mut Visitor::new(name, f));
    }

    fn each_mut(&mut self, name: &str, f: &mut dyn FnMut(&str, &mut dyn ParamTensor<E, D>)) {
        self.visit_mut(&mut VisitorMut::new(name, f));
    }
}
