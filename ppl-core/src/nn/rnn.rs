//! The recurrent layer.

use std::sync::Arc;

use dfdx::shapes::Dim;

use crate::Cpu;
use crate::backend::{Activation, Backend, Direction, Recurrence};
use crate::dtype::Dtype;
use crate::params::{Init, Module, Visitor, VisitorMut};
use crate::tensor::{Flat, Tensor};

use super::{Initialise, Linear};

/// Elman's recurrent layer: stateₜ = activation(xₜ · W + b + before · U + c), over batches of sequences of
/// different lengths, forwards or backwards.
///
/// Inputs have the shape (steps, sequences, inputs), padded behind the end of each sequence; what the
/// padding holds does not count, and the states there are 0. Backwards, each sequence starts at its own last
/// step. The whole sequence is one operation on the tape.
///
/// Weights and biases are those of PyTorch's `nn.RNN` (with both biases), its weights transposed.
///
/// ```
/// use ppl_core::nn::{Activation, Direction, Rnn};
/// use ppl_core::{Const, Tensor, params::Init, rng::Rng};
///
/// let rnn = Rnn::<Const<88>, Const<5>>::new(&mut Init::new(Rng::seed(0)), Const, Const, Activation::Relu);
/// // Two sequences, of four steps and of three.
/// let x = Tensor::full_like(0.0, (4, 2, Const::<88>));
/// let states = rnn.forward(&x, &Tensor::full_like(0.0, (2, Const::<5>)), [4, 3], Direction::Backward);
/// assert_eq!(states.dims(), [4, 2, 5]);
/// ```
///
/// Reference: Elman, *Finding structure in time*, Cognitive Science 14, 1990.
#[derive(Clone, Debug)]
pub struct Rnn<I: Dim, H: Dim, E: Dtype = f32, D: Backend<E> = Cpu> {
    /// W and b, from the inputs.
    pub input: Linear<I, H, E, D>,
    /// U and c, from the state before.
    pub recurrent: Linear<H, H, E, D>,
    activation: Activation,
}

impl<I: Dim, H: Dim, E: Dtype, D: Backend<E>> Rnn<I, H, E, D> {
    /// A layer of `hidden` units, weights and biases uniform within ±1/√hidden.
    pub fn new(init: &mut Init<E, D>, inputs: I, hidden: H, activation: Activation) -> Self {
        let units = hidden.size();
        // All bounds follow from the number of units, as in PyTorch.
        let uniform = |init: &mut Init<E, D>| Initialise::Uniform.draw(init, (hidden,), units, units);
        Rnn {
            input: Linear {
                weight: Initialise::Uniform.draw(init, (inputs, hidden), units, units),
                bias: uniform(init),
            },
            recurrent: Linear::new(init, hidden, hidden),
            activation,
        }
    }

    /// The state of each sequence at each step.
    ///
    /// # Panics
    /// If there is not one length and one initial state for each sequence, a length exceeds the steps, or a size
    /// known only at run time is not the layer's.
    #[must_use]
    #[track_caller]
    pub fn forward<T: Dim, B: Dim>(
        &self,
        x: &Tensor<(T, B, I), E, D>,
        initial: &Tensor<(B, H), E, D>,
        lengths: impl Into<Arc<[usize]>>,
        direction: Direction,
    ) -> Tensor<(T, B, H), E, D> {
        let (steps, sequences, inputs) = x.shape();
        let (lengths, (own_inputs, units)) = (lengths.into(), self.input.sizes());
        let (t, b) = (steps.size(), sequences.size());
        assert!(lengths.len() == b, "Rnn: {} lengths for {b} sequences", lengths.len());
        assert!(lengths.iter().all(|&length| length <= t), "Rnn: a length of {lengths:?} exceeds the {t} steps");
        assert!(inputs.size() == own_inputs, "Rnn: {} inputs for a layer of {own_inputs}", inputs.size());
        assert!(initial.dims() == [b, units], "Rnn: initial states of {:?}, not [{b}, {units}]", initial.dims());
        let moved = self.input.apply(finite_padding(x, &lengths), t * b, Activation::Identity);
        let map = Recurrence { lengths, steps: t, size: units, direction, activation: self.activation };
        let states =
            D::recurrent([moved, initial.flat(), self.recurrent.weight.flat(), self.recurrent.bias.flat()], map);
        states.reshape_like(&(steps, sequences, self.input.weight.shape().1))
    }
}

/// The inputs, with zeros for padding that is not finite: the weights' gradient has it as a factor beside a 0.
fn finite_padding<T: Dim, B: Dim, I: Dim, E: Dtype, D: Backend<E>>(
    x: &Tensor<(T, B, I), E, D>,
    lengths: &[usize],
) -> Flat<E, D> {
    let (sequences, inputs) = (lengths.len(), x.shape().2.size());
    let is_there = |cell: usize| cell / sequences < lengths[cell % sequences];
    let is_padding = |(cell, row): (usize, &[E])| !is_there(cell) && !row.iter().all(|v| v.is_finite());
    if !x.read(|values| values.chunks(inputs.max(1)).enumerate().any(is_padding)) {
        return x.flat();
    }
    let mask: Vec<bool> = (0..x.numel()).map(|i| is_there(i / inputs)).collect();
    x.flat().select(&mask, 0.0)
}

impl<I: Dim, H: Dim, E: Dtype, D: Backend<E>> Module<E, D> for Rnn<I, H, E, D> {
    fn visit(&self, visitor: &mut Visitor<'_, E, D>) {
        visitor.field("input", &self.input);
        visitor.field("recurrent", &self.recurrent);
    }

    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, E, D>) {
        visitor.field("input", &mut self.input);
        visitor.field("recurrent", &mut self.recurrent);
    }
}
