//! Figure 1 of the Pyro paper (Bingham et al. 2018): model, guide with an encoder, `condition`,
//! optimiser, objective and SVI in a few lines, run on real digits.
//! `cargo run --release --example figure_1`

use std::error::Error;
use std::io::Read;

use flate2::read::GzDecoder;
use ppl::infer::{Adam, Svi, TraceElbo};
use ppl::nn::{Activation, Linear, Mlp};
use ppl::prelude::*;

/// How many digits it is run on.
const N: usize = 500;

type Images = Tensor<Rank2<N, 784>>;
type Latents = Tensor<Rank2<N, 20>>;

#[derive(Clone, Debug, Module)]
struct Encoder {
    body: Mlp<Const<784>, Const<100>>,
    loc: Linear<Const<100>, Const<20>>,
    log_scale: Linear<Const<100>, Const<20>>,
}

impl Encoder {
    fn build(init: &mut Init<f32, Cpu>) -> Self {
        Encoder {
            body: Mlp::new(init, Const, &[], Const, Activation::Identity).with_output(Activation::Softplus),
            loc: Linear::build(init),
            log_scale: Linear::build(init),
        }
    }

    fn forward(&self, x: &Images) -> (Latents, Latents) {
        let hidden = self.body.forward(x);
        (self.loc.forward(&hidden), self.log_scale.forward(&hidden).exp())
    }
}

#[model]
fn model(_x: &Images) {
    let z: Latents = sample!("z", Normal::standard());
    let decoder = module!("decoder", Linear::<Const<20>, Const<784>>::build);
    let _x: Images = sample!("x", Bernoulli::from_logits(decoder.forward(&z)));
}

#[guide(model, observed(x))]
fn guide(x: &Images) {
    let encoder = module!("encoder", Encoder::build);
    let (loc, scale) = encoder.forward(x);
    sample!("z", Normal::new(loc, scale));
}

fn main() -> Result<(), Box<dyn Error>> {
    let x = digits()?;
    let conditioned = model.condition(ModelValues { x: Some(x.clone()), ..ModelValues::default() });
    let mut svi = Svi::new(conditioned, guide, Adam::new(1e-2), TraceElbo::default()).seed(0);

    let mut losses = Vec::new();
    for _ in 0..400 {
        losses.push(svi.step(&x)? / N as f64);
    }

    let (first, last) = (losses[0], losses[losses.len() - 10..].iter().sum::<f64>() / 10.0);
    let without = without_latents(&x);
    eprintln!("nats per digit: {first:.1} at first, {last:.1} after {} steps, {without:.1} without z", losses.len());
    assert!(last < 0.85 * without, "{last} nats per digit; pixels without a latent variable have {without}");
    println!(r#"{{"example":"figure_1","first_loss":{first:.3},"last_loss":{last:.3}}}"#);
    Ok(())
}

/// Nats per digit of the best Bernoulli for each pixel by itself.
fn without_latents(x: &Images) -> f64 {
    let means: Tensor<Rank1<784>> = x.mean();
    Bernoulli::new(means).entropy().map_or(f64::NAN, |nats| nats.sum_all().item().into())
}

/// The first training digits that come with the repository.
fn digits() -> Result<Images, Box<dyn Error>> {
    const HEADER: usize = 16;
    let packed = include_bytes!("vae/data/train-images-idx3-ubyte.gz");
    let mut bytes = Vec::new();
    GzDecoder::new(&packed[..]).read_to_end(&mut bytes)?;
    let pixels = bytes[HEADER..][..N * 784].iter().map(|&byte| f32::from(byte) / 255.0).collect();
    Ok(Tensor::from_vec(pixels, Default::default()))
}
