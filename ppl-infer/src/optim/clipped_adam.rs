//! Pyro's ClippedAdam.

use ppl_core::Dtype;

use super::blocks::{Element, each};
use super::{Optim, Rule, Update};

/// Adam with clipped gradients and a decaying learning rate, as `pyro.optim.ClippedAdam`: each
/// element of the gradient is held within ±`clip`, and the learning rate is multiplied by
/// `rate_decay` at each step of a tensor. Unlike in [`super::Adam`], ε is added before the bias
/// correction, and the weight decay after the clipping.
pub type ClippedAdam<E> = Optim<ClippedAdamRule, E>;

/// The options of [`ClippedAdam`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClippedAdamRule {
    /// Decay of the averages of gradient and squared gradient; default (0.9, 0.999).
    pub betas: (f64, f64),
    /// Added to the root; default 1e-8.
    pub eps: f64,
    /// L2 penalty added to the clipped gradient; default 0.
    pub weight_decay: f64,
    /// Bound of each element of the gradient; default 10.
    pub clip: f64,
    /// What the learning rate is multiplied by at each step; default 1.
    pub rate_decay: f64,
}

impl Default for ClippedAdamRule {
    fn default() -> Self {
        ClippedAdamRule { betas: (0.9, 0.999), eps: 1e-8, weight_decay: 0.0, clip: 10.0, rate_decay: 1.0 }
    }
}

with_default_options!(ClippedAdam, ClippedAdamRule);

impl Rule for ClippedAdamRule {
    const NAME: &'static str = "ClippedAdam";
    const SLOTS: &'static [&'static str] = &["mean", "square"];

    fn update<E: Dtype>(&self, rate: f64, step: u64, tensor: Update<'_, E>) -> Option<usize> {
        let (b1, b2) = self.betas;
        let steps = step as f64;
        let rate = rate * self.rate_decay.powf(steps);
        let step_size = E::of(rate * (1.0 - b2.powf(steps)).sqrt() / (1.0 - b1.powf(steps)));
        let (eps, decay, clip) = (E::of(self.eps), E::of(self.weight_decay), E::of(self.clip));
        let (b1, b2, c1, c2) = (E::of(b1), E::of(b2), E::of(1.0 - b1), E::of(1.0 - b2));
        each(tensor, move |Element { gradient, value, slots: [mean, square] }| {
            let g = gradient.max(-clip).min(clip) + decay * *value;
            *mean = b1 * *mean + c1 * g;
            *square = b2 * *square + c2 * g * g;
            *value -= step_size * *mean / (square.sqrt() + eps);
        })
    }
}
