//! The multi-layer perceptron.

use std::borrow::Borrow;

use dfdx::shapes::Dim;

use crate::Cpu;
use crate::backend::{Activation, Backend};
use crate::dtype::Dtype;
use crate::error::ShapeError;
use crate::ops::MatMulShape;
use crate::params::{Init, Module, Visitor, VisitorMut};
use crate::tensor::Tensor;

use super::linear::product;
use super::{Initialise, Linear};

/// Linear maps one after the other, with an activation behind each hidden one and, if asked for,
/// another behind the last. The widths of hidden layers are given at run time.
#[derive(Clone, Debug)]
pub struct Mlp<I: Dim, O: Dim, E: Dtype = f32, D: Backend<E> = Cpu> {
    /// The linear maps, from the inputs to the outputs.
    pub layers: Vec<Linear<usize, usize, E, D>>,
    /// The activation of hidden layers.
    pub hidden: Activation,
    /// The activation of the last layer.
    pub output: Activation,
    sizes: (I, O),
}

impl<I: Dim, O: Dim, E: Dtype, D: Backend<E>> Mlp<I, O, E, D> {
    /// A network with hidden layers of the given widths (perhaps none) and `activation` behind each
    /// of them; initial values as [`Linear::new`].
    pub fn new(init: &mut Init<E, D>, inputs: I, hidden: &[usize], outputs: O, activation: Activation) -> Self {
        let widths: Vec<usize> =
            [inputs.size()].into_iter().chain(hidden.iter().copied()).chain([outputs.size()]).collect();
        let layers = widths.windows(2).map(|pair| Linear::new(init, pair[0], pair[1])).collect();
        Mlp { layers, hidden: activation, output: Activation::Identity, sizes: (inputs, outputs) }
    }

    /// The network with an activation behind its last layer.
    #[must_use]
    pub fn with_output(mut self, activation: Activation) -> Self {
        self.output = activation;
        self
    }

    /// The network with all weights and biases drawn anew.
    #[must_use]
    pub fn initialised(mut self, init: &mut Init<E, D>, weight: Initialise, bias: Initialise) -> Self {
        self.layers = self.layers.into_iter().map(|layer| layer.initialised(init, weight, bias)).collect();
        self
    }

    /// The outputs for inputs along the last axis of `x`, a tensor or a reference to one.
    ///
    /// # Panics
    /// If the last axis, known only at run time, is not the number of inputs.
    #[must_use]
    #[track_caller]
    pub fn forward<S: MatMulShape<(I, O)>>(&self, x: impl Borrow<Tensor<S, E, D>>) -> Tensor<S::Output, E, D> {
        self.try_forward(x).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Like [`Mlp::forward`].
    ///
    /// # Errors
    /// If the last axis, known only at run time, is not the number of inputs.
    pub fn try_forward<S: MatMulShape<(I, O)>>(
        &self,
        x: impl Borrow<Tensor<S, E, D>>,
    ) -> Result<Tensor<S::Output, E, D>, ShapeError> {
        let x = x.borrow();
        let (sizes, shape) = product("Mlp", x, &self.sizes)?;
        let last = self.layers.len() - 1;
        let activation = |i| if i == last { self.output } else { self.hidden };
        let layers = self.layers.iter().enumerate();
        Ok(layers.fold(x.flat(), |x, (i, layer)| layer.apply(x, sizes.m, activation(i))).reshape_like(&shape))
    }
}

impl<I: Dim, O: Dim, E: Dtype, D: Backend<E>> Module<E, D> for Mlp<I, O, E, D> {
    fn visit(&self, visitor: &mut Visitor<'_, E, D>) {
        visitor.field("layers", &self.layers);
    }

    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, E, D>) {
        visitor.field("layers", &mut self.layers);
    }
}
