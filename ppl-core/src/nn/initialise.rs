//! Initial weights of a layer, drawn on a scale that follows from its sizes.

use dfdx::shapes::Shape;

use crate::backend::{Activation, Backend};
use crate::dtype::Dtype;
use crate::params::Init;
use crate::tensor::Tensor;

/// How the elements of a weight or bias are drawn, given how many inputs and outputs the layer has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Initialise {
    /// Uniform within ±1/√inputs: what PyTorch's `nn.Linear` does, for weights and biases.
    Uniform,
    /// Uniform within ±gain √(6 / (inputs + outputs)): Glorot and Bengio, *Understanding the
    /// difficulty of training deep feedforward neural networks*, AISTATS 2010, eq. 16.
    XavierUniform {
        /// See [`Initialise::gain`].
        gain: f64,
    },
    /// Normal with standard deviation gain √(2 / (inputs + outputs)): the variance of eq. 12 there.
    XavierNormal {
        /// See [`Initialise::gain`].
        gain: f64,
    },
    /// Uniform within ±gain √(3 / inputs): He, Zhang, Ren and Sun, *Delving deep into rectifiers*,
    /// ICCV 2015, eq. 10, which has the gain √2.
    KaimingUniform {
        /// See [`Initialise::gain`].
        gain: f64,
    },
    /// Normal with standard deviation gain / √inputs: eq. 10 there.
    KaimingNormal {
        /// See [`Initialise::gain`].
        gain: f64,
    },
    /// The same number everywhere.
    Constant(f64),
}

impl Initialise {
    /// The usual gain before an activation, as in `torch.nn.init.calculate_gain`: √2 for relu (and
    /// for softplus, which is relu far from 0), 5/3 for tanh, else 1.
    pub fn gain(activation: Activation) -> f64 {
        match activation {
            Activation::Relu | Activation::Softplus => std::f64::consts::SQRT_2,
            Activation::Tanh => 5.0 / 3.0,
            Activation::Identity | Activation::Sigmoid => 1.0,
        }
    }

    /// A weight or bias of the given shape for a layer with that many inputs and outputs.
    pub fn draw<S: Shape, E: Dtype, D: Backend<E>>(
        self,
        init: &mut Init<E, D>,
        shape: S,
        inputs: usize,
        outputs: usize,
    ) -> Tensor<S, E, D> {
        // A layer without inputs has a bias, which must stay finite.
        let (fan_in, fans) = (inputs.max(1) as f64, (inputs + outputs).max(1) as f64);
        match self {
            Initialise::Uniform => init.uniform(shape, fan_in.sqrt().recip()),
            Initialise::XavierUniform { gain } => init.uniform(shape, gain * (6.0 / fans).sqrt()),
            Initialise::XavierNormal { gain } => init.normal(shape, gain * (2.0 / fans).sqrt()),
            Initialise::KaimingUniform { gain } => init.uniform(shape, gain * (3.0 / fan_in).sqrt()),
            Initialise::KaimingNormal { gain } => init.normal(shape, gain / fan_in.sqrt()),
            Initialise::Constant(value) => init.constant(shape, value),
        }
    }
}
