//! Adam with decoupled weight decay.

use ppl_core::Dtype;

use super::blocks::{Element, each};
use super::{Optim, Rule, Update};

/// Adam whose weight decay does not go through the averages, as torch.optim.AdamW: before each step the value is
/// multiplied by 1 − rate · decay. Loshchilov and Hutter, *Decoupled Weight Decay Regularization* (ICLR 2019).
pub type AdamW<E> = Optim<AdamWRule, E>;

/// The options of [`AdamW`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamWRule {
    /// Decay of the averages of gradient and squared gradient; default (0.9, 0.999).
    pub betas: (f64, f64),
    /// Added to the root; default 1e-8.
    pub eps: f64,
    /// The decay of the values, per unit of the learning rate; default 0.01.
    pub weight_decay: f64,
}

impl Default for AdamWRule {
    fn default() -> Self {
        AdamWRule { betas: (0.9, 0.999), eps: 1e-8, weight_decay: 0.01 }
    }
}

with_default_options!(AdamW, AdamWRule);

impl Rule for AdamWRule {
    const NAME: &'static str = "AdamW";
    const SLOTS: &'static [&'static str] = &["mean", "square"];

    fn update<E: Dtype>(&self, rate: f64, step: u64, tensor: Update<'_, E>) -> Option<usize> {
        let (b1, b2) = self.betas;
        let steps = step as f64;
        let step_size = E::of(rate / (1.0 - b1.powf(steps)));
        let root = E::of((1.0 - b2.powf(steps)).sqrt().recip());
        let (eps, keep) = (E::of(self.eps), E::of(1.0 - rate * self.weight_decay));
        let (b1, b2, c1, c2) = (E::of(b1), E::of(b2), E::of(1.0 - b1), E::of(1.0 - b2));
        each(tensor, move |Element { gradient, value, slots: [mean, square] }| {
            *mean = b1 * *mean + c1 * gradient;
            *square = b2 * *square + c2 * gradient * gradient;
            *value = keep * *value - step_size * *mean / (square.sqrt() * root + eps);
        })
    }
}
