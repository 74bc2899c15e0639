//! One step of the VAE (784 – h – 20, relu, batch 128, Adam): through the language, the same network
//! by hand on our tensors without any handler, and by hand on plain dfdx.

use criterion::{Criterion, criterion_group, criterion_main};
use ppl::autodiff::grad;
use ppl::infer::{Adam, Svi, TraceElbo};
use ppl::nn::{Activation, Linear};
use ppl::prelude::*;
use ppl::rng::Rng;
use rand::Rng as _;

#[path = "vae_step/plain_dfdx.rs"]
mod plain_dfdx;

const B: usize = 128;
const Z: usize = 20;

type Images = Tensor<Rank2<B, 784>>;
type Latents = Tensor<Rank2<B, Z>>;

#[derive(Clone, Debug, Module)]
struct Encoder<const H: usize> {
    hidden: Linear<Const<784>, Const<H>>,
    loc: Linear<Const<H>, Const<Z>>,
    log_scale: Linear<Const<H>, Const<Z>>,
}

impl<const H: usize> Encoder<H> {
    fn build(init: &mut Init<f32, Cpu>) -> Self {
        Encoder { hidden: Linear::build(init), loc: Linear::build(init), log_scale: Linear::build(init) }
    }

    fn forward(&self, x: &Images) -> (Latents, Latents) {
        let hidden = self.hidden.forward_with(x, Activation::Relu);
        (self.loc.forward(&hidden), self.log_scale.forward(&hidden).exp())
    }
}

#[derive(Clone, Debug, Module)]
struct Decoder<const H: usize> {
    hidden: Linear<Const<Z>, Const<H>>,
    pixels: Linear<Const<H>, Const<784>>,
}

impl<const H: usize> Decoder<H> {
    fn build(init: &mut Init<f32, Cpu>) -> Self {
        Decoder { hidden: Linear::build(init), pixels: Linear::build(init) }
    }

    fn forward(&self, z: &Latents) -> Images {
        self.pixels.forward(self.hidden.forward_with(z, Activation::Relu))
    }
}

#[model]
fn vae<const H: usize>(x: &Images) {
    let decoder = module!("decoder", Decoder::<H>::build);
    let z: Latents = sample!("z", Normal::standard());
    sample!("x", Bernoulli::from_logits(decoder.forward(&z)), obs = x);
}

#[guide(vae::<H>)]
fn vae_guide<const H: usize>(x: &Images) {
    let encoder = module!("encoder", Encoder::<H>::build);
    let (loc, scale) = encoder.forward(x);
    sample!("z", Normal::new(loc, scale));
}

/// Encoder, decoder and optimiser without model, guide, handlers or store.
struct ByHand<const H: usize> {
    encoder: Encoder<H>,
    decoder: Decoder<H>,
    adam: Adam<f32>,
    rng: Rng,
}

impl<const H: usize> ByHand<H> {
    fn new() -> Self {
        let mut init = Init::new(Rng::seed(0));
        let (mut encoder, mut decoder) = (Encoder::build(&mut init), Decoder::build(&mut init));
        encoder.visit_mut(&mut ppl::params::VisitorMut::new("encoder", &mut |_, tensor| tensor.track()));
        decoder.visit_mut(&mut ppl::params::VisitorMut::new("decoder", &mut |_, tensor| tensor.track()));
        ByHand { encoder, decoder, adam: Adam::new(1e-3), rng: Rng::seed(1) }
    }

    fn step(&mut self, x: &Images) -> f32 {
        let (loss, mut grads) = grad(|| {
            let (loc, scale) = self.encoder.forward(x);
            let posterior = Normal::new(loc, scale);
            let z = posterior.draw(&mut self.rng);
            let log_q = posterior.log_prob_sum(&z);
            let log_p = Normal::standard().log_prob_sum(&z);
            let log_x = Bernoulli::from_logits(self.decoder.forward(&z)).log_prob_sum(x);
            log_q - log_p - log_x
        });
        self.adam.step_module("encoder", &mut self.encoder, &mut grads).expect("finite gradients");
        self.adam.step_module("decoder", &mut self.decoder, &mut grads).expect("finite gradients");
        loss.item()
    }
}

fn images() -> Images {
    let mut rng = Rng::seed(2);
    Tensor::from_vec((0..B * 784).map(|_| rng.r#gen()).collect(), Default::default())
}

fn steps<const H: usize>(c: &mut Criterion) {
    let x = images();
    let mut group = c.benchmark_group(format!("VAE step, h = {H}"));
    group.sample_size(if H > 1000 { 20 } else { 60 });
    group.bench_function("ppl", |b| {
        let mut svi = Svi::new(vae::<H>, vae_guide::<H>, Adam::new(1e-3), TraceElbo::default()).validate(false);
        b.iter(|| svi.step(&x).expect("a finite loss"));
    });
    group.bench_function("by hand", |b| {
        let mut network = ByHand::<H>::new();
        b.iter(|| network.step(&x));
    });
    group.bench_function("plain dfdx", |b| {
        let mut network = plain_dfdx::Network::<H>::new();
        b.iter(|| network.step(&x));
    });
    group.finish();
}

fn both_sizes(c: &mut Criterion) {
    ppl::memory::keep_freed_buffers();
    steps::<400>(c);
    steps::<2000>(c);
}

criterion_group!(benches, both_sizes);
criterion_main!(benches);
