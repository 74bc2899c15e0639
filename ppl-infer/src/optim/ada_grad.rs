//! AdaGrad.

use ppl_core::Dtype;

use super::blocks::{Element, each};
use super::{Optim, Rule, Update};

/// AdaGrad, as torch.optim.Adagrad: each element's step is divided by the root of the sum of its squared gradients.
/// Duchi, Hazan and Singer, *Adaptive Subgradient Methods* (JMLR 2011).
pub type AdaGrad<E> = Optim<AdaGradRule, E>;

/// The options of [`AdaGrad`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdaGradRule {
    /// The learning rate of step t is divided by 1 + (t − 1) · this; default 0.
    pub rate_decay: f64,
    /// What the sum of squares begins with; default 0.
    pub initial: f64,
    /// Added to the root; default 1e-10.
    pub eps: f64,
    /// L2 penalty added to the gradient; default 0.
    pub weight_decay: f64,
}

impl Default for AdaGradRule {
    fn default() -> Self {
        AdaGradRule { rate_decay: 0.0, initial: 0.0, eps: 1e-10, weight_decay: 0.0 }
    }
}

with_default_options!(AdaGrad, AdaGradRule);

impl Rule for AdaGradRule {
    const NAME: &'static str = "AdaGrad";
    const SLOTS: &'static [&'static str] = &["square"];

    fn update<E: Dtype>(&self, rate: f64, step: u64, tensor: Update<'_, E>) -> Option<usize> {
        let rate = E::of(rate / (1.0 + (step - 1) as f64 * self.rate_decay));
        let (initial, eps, decay) = (E::of(self.initial), E::of(self.eps), E::of(self.weight_decay));
        each(tensor, move |Element { gradient, value, slots: [square] }| {
            let g = gradient + decay * *value;
            *square += g * g;
            *value -= rate * g / ((initial + *square).sqrt() + eps);
        })
    }
}
