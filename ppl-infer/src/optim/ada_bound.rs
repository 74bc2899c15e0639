//! AdaBound.

use ppl_core::Dtype;

use super::blocks::{Element, each};
use super::{Optim, Rule, Update};

/// AdaBound: Adam whose step size of each element is held between two bounds that close in on one number, so that
/// it ends as gradient descent. Luo, Xiong, Liu and Sun, *Adaptive Gradient Methods with Dynamic Bound of Learning
/// Rate* (ICLR 2019), algorithm 2 with Adam's corrections of bias; bounds as in the authors' code.
pub type AdaBound<E> = Optim<AdaBoundRule, E>;

/// The options of [`AdaBound`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdaBoundRule {
    /// Decay of the averages of gradient and squared gradient; default (0.9, 0.999).
    pub betas: (f64, f64),
    /// The step size that all elements end at, over the learning rate (so that schedules move both); default 100.
    pub final_over_rate: f64,
    /// How fast the bounds close in; default 10⁻³.
    pub gamma: f64,
    /// Added to the root; default 1e-8.
    pub eps: f64,
    /// L2 penalty added to the gradient; default 0.
    pub weight_decay: f64,
}

impl Default for AdaBoundRule {
    fn default() -> Self {
        AdaBoundRule { betas: (0.9, 0.999), final_over_rate: 100.0, gamma: 1e-3, eps: 1e-8, weight_decay: 0.0 }
    }
}

with_default_options!(AdaBound, AdaBoundRule);

impl Rule for AdaBoundRule {
    const NAME: &'static str = "AdaBound";
    const SLOTS: &'static [&'static str] = &["mean", "square"];

    fn update<E: Dtype>(&self, rate: f64, step: u64, tensor: Update<'_, E>) -> Option<usize> {
        let (b1, b2) = self.betas;
        let steps = step as f64;
        let step_size = E::of(rate * (1.0 - b2.powf(steps)).sqrt() / (1.0 - b1.powf(steps)));
        let end = rate * self.final_over_rate;
        let lower = E::of(end * (1.0 - (self.gamma * steps + 1.0).recip()));
        let upper = E::of(end * (1.0 + (self.gamma * steps).recip()));
        let (eps, decay) = (E::of(self.eps), E::of(self.weight_decay));
        let (b1, b2, c1, c2) = (E::of(b1), E::of(b2), E::of(1.0 - b1), E::of(1.0 - b2));
        each(tensor, move |Element { gradient, value, slots: [mean, square] }| {
            let g = gradient + decay * *value;
            *mean = b1 * *mean + c1 * g;
            *square = b2 * *square + c2 * g * g;
            *value -= (step_size / (square.sqrt() + eps)).max(lower).min(upper) * *mean;
        })
    }
}
