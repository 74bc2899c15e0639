//! Adam with a denominator that never falls.

use ppl_core::Dtype;

use super::blocks::{Element, each};
use super::{Optim, Rule, Update};

/// AMSGrad, as torch.optim.Adam with `amsgrad`: the greatest average of squares so far takes the place of the present
/// one. Reddi, Kale and Kumar, *On the Convergence of Adam and Beyond* (ICLR 2018).
pub type AmsGrad<E> = Optim<AmsGradRule, E>;

/// The options of [`AmsGrad`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AmsGradRule {
    /// Decay of the averages of gradient and squared gradient; default (0.9, 0.999).
    pub betas: (f64, f64),
    /// Added to the root; default 1e-8.
    pub eps: f64,
    /// L2 penalty added to the gradient; default 0.
    pub weight_decay: f64,
}

impl Default for AmsGradRule {
    fn default() -> Self {
        AmsGradRule { betas: (0.9, 0.999), eps: 1e-8, weight_decay: 0.0 }
    }
}

with_default_options!(AmsGrad, AmsGradRule);

impl Rule for AmsGradRule {
    const NAME: &'static str = "AmsGrad";
    const SLOTS: &'static [&'static str] = &["mean", "square", "greatest"];

    fn update<E: Dtype>(&self, rate: f64, step: u64, tensor: Update<'_, E>) -> Option<usize> {
        let (b1, b2) = self.betas;
        let steps = step as f64;
        let step_size = E::of(rate / (1.0 - b1.powf(steps)));
        let root = E::of((1.0 - b2.powf(steps)).sqrt().recip());
        let (eps, decay) = (E::of(self.eps), E::of(self.weight_decay));
        let (b1, b2, c1, c2) = (E::of(b1), E::of(b2), E::of(1.0 - b1), E::of(1.0 - b2));
        each(tensor, move |Element { gradient, value, slots: [mean, square, greatest] }| {
            let g = gradient + decay * *value;
            *mean = b1 * *mean + c1 * g;
            *square = b2 * *square + c2 * g * g;
            *greatest = greatest.max(*square);
            *value -= step_size * *mean / (greatest.sqrt() * root + eps);
        })
    }
}
