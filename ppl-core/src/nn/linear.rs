//! The fully connected layer.

use std::borrow::Borrow;

use dfdx::shapes::{ConstDim, Dim, Shape};

use crate::Cpu;
use crate::backend::{Activation, Backend, Product};
use crate::dtype::Dtype;
use crate::error::ShapeError;
use crate::ops::MatMulShape;
use crate::params::{Init, Module, Visitor, VisitorMut};
use crate::tensor::{Flat, Tensor};

use super::Initialise;

/// x · weight + bias, for vectors of `I` elements, batches of them, and batches of batches.
///
/// Sizes are constants (`Const<784>`) or known only at run time (`usize`). The weight has the shape
/// (inputs, outputs): the transpose of PyTorch's.
///
/// ```
/// use ppl_core::{Const, Rank1, Tensor, nn::Linear, params::Init, rng::Rng};
/// let layer = Linear::<Const<3>, Const<2>>::build(&mut Init::new(Rng::seed(0)));
/// let y: Tensor<Rank1<2>> = layer.forward(Tensor::from([1.0, 2.0, 3.0]));
/// ```
#[derive(Clone, Debug)]
pub struct Linear<I: Dim, O: Dim, E: Dtype = f32, D: Backend<E> = Cpu> {
    /// The matrix, of shape (inputs, outputs).
    pub weight: Tensor<(I, O), E, D>,
    /// What is added to each output.
    pub bias: Tensor<(O,), E, D>,
}

impl<I: ConstDim, O: ConstDim, E: Dtype, D: Backend<E>> Linear<I, O, E, D> {
    /// [`Linear::new`] for sizes known at compile time: what `module!` takes.
    pub fn build(init: &mut Init<E, D>) -> Self {
        Self::new(init, I::default(), O::default())
    }
}

impl<I: Dim, O: Dim, E: Dtype, D: Backend<E>> Linear<I, O, E, D> {
    /// A layer of `inputs` and `outputs`, its weight and bias uniform within ±1/√inputs.
    pub fn new(init: &mut Init<E, D>, inputs: I, outputs: O) -> Self {
        let (i, o) = (inputs.size(), outputs.size());
        Linear {
            weight: Initialise::Uniform.draw(init, (inputs, outputs), i, o),
            bias: Initialise::Uniform.draw(init, (outputs,), i, o),
        }
    }

    /// The layer with weight and bias drawn anew.
    #[must_use]
    pub fn initialised(self, init: &mut Init<E, D>, weight: Initialise, bias: Initialise) -> Self {
        let (i, o) = self.sizes();
        Linear { weight: weight.draw(init, self.weight.shape(), i, o), bias: bias.draw(init, self.bias.shape(), i, o) }
    }

    /// The numbers of inputs and outputs.
    pub fn sizes(&self) -> (usize, usize) {
        let (inputs, outputs) = self.weight.shape();
        (inputs.size(), outputs.size())
    }

    /// The outputs for inputs along the last axis of `x`, a tensor or a reference to one.
    ///
    /// # Panics
    /// If the last axis, known only at run time, is not the number of inputs.
    #[must_use]
    #[track_caller]
    pub fn forward<S: MatMulShape<(I, O)>>(&self, x: impl Borrow<Tensor<S, E, D>>) -> Tensor<S::Output, E, D> {
        self.forward_with(x, Activation::Identity)
    }

    /// The outputs under an activation, in one fused operation.
    ///
    /// # Panics
    /// As [`Linear::forward`].
    #[must_use]
    #[track_caller]
    pub fn forward_with<S: MatMulShape<(I, O)>>(
        &self,
        x: impl Borrow<Tensor<S, E, D>>,
        activation: Activation,
    ) -> Tensor<S::Output, E, D> {
        self.try_forward_with(x, activation).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Like [`Linear::forward_with`].
    ///
    /// # Errors
    /// If the last axis, known only at run time, is not the number of inputs.
    pub fn try_forward_with<S: MatMulShape<(I, O)>>(
        &self,
        x: impl Borrow<Tensor<S, E, D>>,
        activation: Activation,
    ) -> Result<Tensor<S::Output, E, D>, ShapeError> {
        let x = x.borrow();
        let (sizes, shape) = product("Linear", x, &self.weight.shape())?;
        Ok(self.apply(x.flat(), sizes.m, activation).reshape_like(&shape))
    }

    /// The outputs, row after row, for `rows` rows of inputs.
    pub(super) fn apply(&self, x: Flat<E, D>, rows: usize, activation: Activation) -> Flat<E, D> {
        let (k, n) = self.sizes();
        let sizes = Product { batch: 1, m: rows, k, n, shared_right: true };
        D::linear(x, self.weight.flat(), self.bias.flat(), sizes, activation)
    }
}

/// The sizes and the shape of `x` times a matrix of the shape `matrix`.
///
/// # Errors
/// If `x` has another number of inputs.
pub(super) fn product<S: MatMulShape<R>, R: Shape, E: Dtype, D: Backend<E>>(
    layer: &'static str,
    x: &Tensor<S, E, D>,
    matrix: &R,
) -> Result<(Product, S::Output), ShapeError> {
    x.shape().product(matrix).ok_or_else(|| ShapeError {
        operation: layer,
        problem: "the input's last axis is not the layer's number of inputs; the shapes are the input's and (inputs, outputs)",
        left: x.dims(),
        right: matrix.concrete().into(),
    })
}

impl<I: Dim, O: Dim, E: Dtype, D: Backend<E>> Module<E, D> for Linear<I, O, E, D> {
    fn visit(&self, visitor: &mut Visitor<'_, E, D>) {
        visitor.field("weight", &self.weight);
        visitor.field("bias", &self.bias);
    }

    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, E, D>) {
        visitor.field("weight", &mut self.weight);
        visitor.field("bias", &mut self.bias);
    }
}
