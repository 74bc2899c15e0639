//! Stochastic gradient descent.

use ppl_core::Dtype;

use super::blocks::{Element, each};
use super::{Optim, Rule, Update};

/// Stochastic gradient descent with momentum, as torch.optim.SGD: the velocity is
/// `momentum · velocity + gradient`, and the first velocity is the first gradient.
pub type Sgd<E> = Optim<SgdRule, E>;

/// The options of [`Sgd`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SgdRule {
    /// How much of the velocity is kept; default 0.
    pub momentum: f64,
    /// Whether to look ahead along the velocity (Nesterov); default false.
    pub nesterov: bool,
    /// L2 penalty added to the gradient; default 0.
    pub weight_decay: f64,
}

impl<E: Dtype> Sgd<E> {
    /// Gradient descent without momentum.
    ///
    /// # Panics
    /// If the learning rate is not positive and finite.
    #[track_caller]
    pub fn new(learning_rate: f64) -> Self {
        Self::with_rule(SgdRule::default(), learning_rate)
    }

    /// Gradient descent with momentum.
    ///
    /// # Panics
    /// If the learning rate is not positive and finite.
    #[track_caller]
    pub fn with_momentum(learning_rate: f64, momentum: f64) -> Self {
        Self::with_rule(SgdRule { momentum, ..SgdRule::default() }, learning_rate)
    }
}

impl Rule for SgdRule {
    const NAME: &'static str = "Sgd";
    const SLOTS: &'static [&'static str] = &["velocity"];

    fn update<E: Dtype>(&self, rate: f64, _: u64, tensor: Update<'_, E>) -> Option<usize> {
        // The velocity starts at zero, so the first step makes it the first gradient.
        let (rate, momentum, decay) = (E::of(rate), E::of(self.momentum), E::of(self.weight_decay));
        let nesterov = self.nesterov;
        each(tensor, move |Element { gradient, value, slots: [velocity] }| {
            let g = gradient + decay * *value;
            *velocity = momentum * *velocity + g;
            *value -= rate * if nesterov { g + momentum * *velocity } else { *velocity };
        })
    }
}
