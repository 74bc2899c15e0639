//! The networks of the model and of its guide, with the sizes and initial values of Pyro's example.

use ppl::nn::{Activation, Linear, Mlp};
use ppl::prelude::*;

use super::chorales::KEYS;

/// A vector for each sequence of a batch.
pub type Rows = Tensor<(usize, usize)>;

/// Sizes that the command line sets, and those of Pyro's example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Latent dimensions.
    pub latent: usize,
    /// Hidden units of the emitter.
    pub emission: usize,
    /// Hidden units of the transition.
    pub transition: usize,
    /// Hidden units of the recurrent layer.
    pub recurrent: usize,
    /// Inverse autoregressive flows of the guide.
    pub flows: usize,
    /// Hidden units of a flow's network.
    pub flow: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Sizes { latent: 100, emission: 100, transition: 200, recurrent: 600, flows: 0, flow: 100 }
    }
}

/// The logits of the keys, given the latents of a step: p(xₜ | zₜ).
pub type Emitter = Mlp<usize, Const<KEYS>>;

/// An emitter with two hidden layers.
pub fn emitter(init: &mut Init<f32, Cpu>, sizes: Sizes) -> Emitter {
    Mlp::new(init, sizes.latent, &[sizes.emission; 2], Const, Activation::Relu)
}

/// p(zₜ | zₜ₋₁): a normal distribution whose mean is, by a gate in each dimension, a linear map or a network of the
/// latents before.
#[derive(Clone, Debug, Module)]
pub struct GatedTransition {
    gate: Mlp<usize, usize>,
    proposed: Mlp<usize, usize>,
    linear: Linear<usize, usize>,
    scale: Linear<usize, usize>,
}

impl GatedTransition {
    /// A transition whose linear map begins as the identity.
    pub fn new(init: &mut Init<f32, Cpu>, sizes: Sizes) -> Self {
        let Sizes { latent, transition, .. } = sizes;
        let gate = Mlp::new(init, latent, &[transition], latent, Activation::Relu).with_output(Activation::Sigmoid);
        let proposed = Mlp::new(init, latent, &[transition], latent, Activation::Relu);
        let mut linear = Linear::new(init, latent, latent);
        let identity = (0..latent * latent).map(|i| if i % (latent + 1) == 0 { 1.0 } else { 0.0 }).collect();
        linear.weight = Tensor::from_vec(identity, (latent, latent));
        linear.bias = Tensor::full_like(0.0, (latent,));
        GatedTransition { gate, proposed, linear, scale: Linear::new(init, latent, latent) }
    }

    /// Mean and standard deviation of the next latents.
    pub fn forward(&self, z: &Rows) -> (Rows, Rows) {
        let (gate, proposed, linear) = (self.gate.forward(z), self.proposed.forward(z), self.linear.forward(z));
        let scale = self.scale.forward_with(proposed.relu(), Activation::Softplus);
        (linear.lerp(proposed, gate), scale)
    }
}

/// q(zₜ | zₜ₋₁, xₜ, xₜ₊₁, …): from the latents before and what the recurrent layer says of the data from here on.
#[derive(Clone, Debug, Module)]
pub struct Combiner {
    hidden: Linear<usize, usize>,
    loc: Linear<usize, usize>,
    scale: Linear<usize, usize>,
}

impl Combiner {
    /// A combiner with random weights.
    pub fn new(init: &mut Init<f32, Cpu>, sizes: Sizes) -> Self {
        let Sizes { latent, recurrent, .. } = sizes;
        Combiner {
            hidden: Linear::new(init, latent, recurrent),
            loc: Linear::new(init, recurrent, latent),
            scale: Linear::new(init, recurrent, latent),
        }
    }

    /// Mean and standard deviation of the latents.
    pub fn forward(&self, before: &Rows, state: &Rows) -> (Rows, Rows) {
        let hidden = self.hidden.forward_with(before, Activation::Tanh).lerp(state, 0.5);
        (self.loc.forward(&hidden), self.scale.forward_with(&hidden, Activation::Softplus))
    }
}
