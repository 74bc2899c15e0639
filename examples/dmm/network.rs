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

#[cfg(test)]
mod tests {
    use ppl::autodiff::grad;
    use ppl::params::ErasedModule;
    use ppl::rng::Rng;

    use super::*;

    const SIZES: Sizes = Sizes { latent: 5, emission: 4, transition: 7, recurrent: 6, flows: 0, flow: 1 };

    /// Mean and scale by two ways, with the gradients in the input and in each weight of a loss of both.
    fn check<M: Module<f32, Cpu>>(network: &M, x: &Rows, ways: [&dyn Fn(&M, &Rows) -> (Rows, Rows); 2]) {
        let (mut network, x) = (network.clone(), x.tracked());
        network.each_mut("", &mut |_, tensor| tensor.track());
        let [fused, plain] = ways.map(|way| {
            let (mut all, mut weights) = (Vec::new(), 0);
            let (_, mut grads) = grad(|| {
                let (loc, scale) = way(&network, &x);
                all.extend(loc.to_vec().into_iter().chain(scale.to_vec()));
                (&loc * &loc).sum_all() + (scale * loc).sum_all()
            });
            all.extend(grads.get(&x).expect("a leaf's gradient").to_vec());
            network.clone().each_mut("", &mut |_, tensor| {
                weights += 1;
                tensor.update(&mut grads, &mut |_, gradient| all.extend_from_slice(gradient)).expect("the CPU");
            });
            assert!(weights >= 6 && all.iter().filter(|v| **v != 0.0).count() > all.len() / 2);
            all
        });
        assert_eq!(fused.len(), plain.len());
        for (i, (a, b)) in fused.iter().zip(&plain).enumerate() {
            assert!((a - b).abs() < 2e-6 * (1.0 + b.abs()), "number {i}: {a} and {b}");
        }
    }

    /// x · weight + bias, in single operations.
    fn affine(layer: &Linear<usize, usize>, x: &Rows) -> Rows {
        let product: Rows = x.matmul(&layer.weight);
        let bias: Rows = layer.bias.broadcast_like::<_, Axis<0>>(&product.shape());
        product + bias
    }

    fn two_layers(network: &Mlp<usize, usize>, x: &Rows) -> Rows {
        affine(&network.layers[1], &affine(&network.layers[0], x).relu())
    }

    fn normal(init: &mut Init<f32, Cpu>, columns: usize) -> Rows {
        Normal::standard_like((3, columns)).draw(init.rng())
    }

    #[test]
    fn the_gated_transition_is_the_one_of_its_formula() {
        let mut init = Init::new(Rng::seed(1));
        let mut network = GatedTransition::new(&mut init, SIZES);
        network.linear = Linear::new(&mut init, SIZES.latent, SIZES.latent);
        let by_formula = |network: &GatedTransition, z: &Rows| {
            let gate = two_layers(&network.gate, z).sigmoid();
            let proposed = two_layers(&network.proposed, z);
            let loc = (1.0 - &gate) * affine(&network.linear, z) + &gate * &proposed;
            (loc, affine(&network.scale, &proposed.relu()).softplus())
        };
        check(&network, &normal(&mut init, SIZES.latent), [&GatedTransition::forward, &by_formula]);
    }

    #[test]
    fn the_combiner_is_the_one_of_its_formula() {
        let mut init = Init::new(Rng::seed(2));
        let (network, state) = (Combiner::new(&mut init, SIZES), normal(&mut init, SIZES.recurrent));
        let by_formula = |network: &Combiner, before: &Rows| {
            let hidden = (affine(&network.hidden, before).tanh() + &state) * 0.5;
            (affine(&network.loc, &hidden), affine(&network.scale, &hidden).softplus())
        };
        let fused = |network: &Combiner, before: &Rows| network.forward(before, &state);
        check(&network, &normal(&mut init, SIZES.latent), [&fused, &by_formula]);
    }
}
