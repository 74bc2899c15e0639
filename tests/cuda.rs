//! The same model code on dfdx's CUDA device: compiled with the feature `cuda`, never run by us.
#![cfg(feature = "cuda")]

use ppl::Cuda;
use ppl::infer::{Adam, Svi, TraceElbo};
use ppl::nn::Linear;
use ppl::prelude::*;

type Images = Tensor<Rank2<8, 784>, f32, Cuda>;

#[model(device = Cuda)]
fn digits(images: &Images) {
    let decoder = module!("decoder", Linear::<Const<20>, Const<784>, f32, Cuda>::build);
    let z: Tensor<Rank2<8, 20>, f32, Cuda> = sample!("z", Normal::standard());
    sample!("x", Bernoulli::from_logits(decoder.forward(&z)), obs = images);
}

#[guide(digits, device = Cuda)]
fn digits_guide(images: &Images) {
    let encoder = module!("encoder", Linear::<Const<784>, Const<20>, f32, Cuda>::build);
    sample!("z", Normal::new(encoder.forward(images), 1.0));
}

/// A step on the device.
///
/// # Errors
/// Those of [`Svi::step`].
pub fn step(images: &Images) -> Result<f64, ppl::Error> {
    Svi::new(digits, digits_guide, Adam::new(1e-3), TraceElbo::default()).step(images)
}
