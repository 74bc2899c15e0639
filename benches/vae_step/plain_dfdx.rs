//! The same network by hand on plain dfdx: its layers, its loss, its Adam.

use dfdx::nn::modules::Linear;
use dfdx::optim::{Adam, AdamConfig};
use dfdx::prelude::*;

const B: usize = 128;
const Z: usize = 20;

/// The weights of encoder and decoder.
struct Weights<const H: usize> {
    hidden: Linear<784, H, f32, Cpu>,
    loc: Linear<H, Z, f32, Cpu>,
    log_scale: Linear<H, Z, f32, Cpu>,
    decoder_hidden: Linear<Z, H, f32, Cpu>,
    pixels: Linear<H, 784, f32, Cpu>,
}

/// Weights, one optimiser for each layer, and room for gradients.
pub(super) struct Network<const H: usize> {
    device: Cpu,
    weights: Weights<H>,
    optimizers: (
        Adam<Linear<784, H, f32, Cpu>, f32, Cpu>,
        Adam<Linear<H, Z, f32, Cpu>, f32, Cpu>,
        Adam<Linear<H, Z, f32, Cpu>, f32, Cpu>,
        Adam<Linear<Z, H, f32, Cpu>, f32, Cpu>,
        Adam<Linear<H, 784, f32, Cpu>, f32, Cpu>,
    ),
}

impl<const H: usize> Network<H> {
    pub(super) fn new() -> Self {
        let device = Cpu::seed_from_u64(0);
        let weights = Weights {
            hidden: Linear::build(&device),
            loc: Linear::build(&device),
            log_scale: Linear::build(&device),
            decoder_hidden: Linear::build(&device),
            pixels: Linear::build(&device),
        };
        let config = AdamConfig { lr: 1e-3, ..Default::default() };
        let optimizers = (
            Adam::new(&weights.hidden, config),
            Adam::new(&weights.loc, config),
            Adam::new(&weights.log_scale, config),
            Adam::new(&weights.decoder_hidden, config),
            Adam::new(&weights.pixels, config),
        );
        Network { device, weights, optimizers }
    }

    pub(super) fn step(&mut self, images: &ppl::Tensor<Rank2<B, 784>>) -> f32 {
        let w = &mut self.weights;
        let x = self.device.tensor_from_vec(images.to_vec(), Rank2::<B, 784>::default());
        let hidden = w.hidden.forward(x.clone().leaky_traced()).relu();
        let loc = w.loc.forward(hidden.with_empty_tape());
        let log_scale = w.log_scale.forward(hidden);
        let noise: Tensor<Rank2<B, Z>, f32, Cpu> = self.device.sample_normal();
        let z = log_scale.with_empty_tape().exp() * noise + loc.with_empty_tape();
        let logits = w.pixels.forward(w.decoder_hidden.forward(z).relu());
        let likelihood = binary_cross_entropy_with_logits_loss(logits, x) * (B * 784) as f32;
        let divergence =
            (loc.square() + (log_scale.with_empty_tape() * 2.0).exp() - log_scale * 2.0 - 1.0).sum::<Rank0, _>() * 0.5;
        let loss = likelihood + divergence;
        let value = loss.array();
        let grads = loss.backward();
        let adam = &mut self.optimizers;
        adam.0.update(&mut w.hidden, &grads).expect("used");
        adam.1.update(&mut w.loc, &grads).expect("used");
        adam.2.update(&mut w.log_scale, &grads).expect("used");
        adam.3.update(&mut w.decoder_hidden, &grads).expect("used");
        adam.4.update(&mut w.pixels, &grads).expect("used");
        value
    }
}
