//! RMSProp.

use ppl_core::Dtype;

use super::blocks::{Element, each};
use super::{Optim, Rule, Update};

/// RMSProp, as torch.optim.RMSprop: each element's step is divided by the root of a running average of its squared
/// gradients. Tieleman and Hinton, lecture 6.5 of *Neural Networks for Machine Learning* (2012); centred: Graves,
/// *Generating Sequences with Recurrent Neural Networks* (2013).
pub type RmsProp<E> = Optim<RmsPropRule, E>;

/// The options of [`RmsProp`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RmsPropRule {
    /// Decay of the average of squares; default 0.99.
    pub decay: f64,
    /// Added to the root; default 1e-8.
    pub eps: f64,
    /// How much of the velocity is kept; default 0.
    pub momentum: f64,
    /// Whether the squared average of gradients is taken off the average of squares; default false.
    pub centered: bool,
    /// L2 penalty added to the gradient; default 0.
    pub weight_decay: f64,
}

impl Default for RmsPropRule {
    fn default() -> Self {
        RmsPropRule { decay: 0.99, eps: 1e-8, momentum: 0.0, centered: false, weight_decay: 0.0 }
    }
}

with_default_options!(RmsProp, RmsPropRule);

impl Rule for RmsPropRule {
    const NAME: &'static str = "RmsProp";
    const SLOTS: &'static [&'static str] = &["square", "mean", "velocity"];

    fn update<E: Dtype>(&self, rate: f64, _: u64, tensor: Update<'_, E>) -> Option<usize> {
        let (rate, eps, momentum) = (E::of(rate), E::of(self.eps), E::of(self.momentum));
        let (keep, take, penalty) = (E::of(self.decay), E::of(1.0 - self.decay), E::of(self.weight_decay));
        let centered = if self.centered { E::of(1.0) } else { E::of(0.0) };
        each(tensor, move |Element { gradient, value, slots: [square, mean, velocity] }| {
            let g = gradient + penalty * *value;
            *square = keep * *square + take * g * g;
            *mean = keep * *mean + take * g;
            // Rounding can take the difference below zero where all gradients are alike.
            let variance = (*square - centered * *mean * *mean).max(E::of(0.0));
            *velocity = momentum * *velocity + g / (variance.sqrt() + eps);
            *value -= rate * *velocity;
        })
    }
}
