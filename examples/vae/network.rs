//! The model and the guide: a decoder from latents to pixels and an encoder back.

use ppl::nn::{Activation, Linear, Mlp};
use ppl::prelude::*;

use super::digits::PIXELS;

/// Images, a row each.
pub type Images = Tensor<(usize, Const<PIXELS>)>;

/// Sizes that the command line sets.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Units of a hidden layer.
    pub hidden: usize,
    /// Hidden layers.
    pub layers: usize,
    /// Latent dimensions.
    pub latent: usize,
}

impl Sizes {
    fn hidden(self) -> Vec<usize> {
        vec![self.hidden; self.layers]
    }
}

/// The logits of the pixels, given latents.
pub type Decoder = Mlp<usize, Const<PIXELS>>;

/// Mean and standard deviation of the latents, given an image.
#[derive(Clone, Debug, Module)]
pub struct Encoder {
    body: Mlp<Const<PIXELS>, usize>,
    loc: Linear<usize, usize>,
    log_scale: Linear<usize, usize>,
}

impl Encoder {
    fn new(init: &mut Init<f32, Cpu>, sizes: Sizes) -> Self {
        let Sizes { hidden, layers, latent } = sizes;
        let inner = vec![hidden; layers - 1];
        Encoder {
            body: Mlp::new(init, Const, &inner, hidden, Activation::Softplus).with_output(Activation::Softplus),
            loc: Linear::new(init, hidden, latent),
            log_scale: Linear::new(init, hidden, latent),
        }
    }

    /// Mean and standard deviation for each image.
    pub fn forward(&self, images: &Images) -> (Tensor<(usize, usize)>, Tensor<(usize, usize)>) {
        let hidden = self.body.forward(images);
        (self.loc.forward(&hidden), self.log_scale.forward(&hidden).exp())
    }
}

/// z ~ N(0, 1), x ~ Bernoulli(decoder(z)), for each image.
#[model]
pub fn vae(images: &Images, sizes: Sizes) {
    let decoder =
        module!("decoder", |init| Decoder::new(init, sizes.latent, &sizes.hidden(), Const, Activation::Softplus));
    let n = images.shape().0;
    plate!("images", n, |_| {
        let z: Tensor<(usize, usize)> = sample!("z", Normal::standard_like((n, sizes.latent)));
        sample!("x", Bernoulli::from_logits(decoder.forward(&z)), obs = images);
    });
}

/// z ~ N(encoder(x)), for each image.
#[guide(vae)]
pub fn vae_guide(images: &Images, sizes: Sizes) {
    let encoder = module!("encoder", |init| Encoder::new(init, sizes));
    plate!("images", images.shape().0, |_| {
        let (loc, scale) = encoder.forward(images);
        sample!("z", Normal::new(loc, scale));
    });
}
