//! Bounds of gradients.

use ppl_core::Dtype;

/// How gradients are bounded before a rule sees them. Elements that are not finite are left as they are, to be
/// named by the step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Clip {
    /// Not at all.
    #[default]
    None,
    /// Each element within ± this.
    Value(f64),
    /// The Euclidean norm of each tensor's gradient: it is scaled down to this where it is larger.
    Norm(f64),
    /// The Euclidean norm of all gradients of a step together. Reference: Pascanu, Mikolov and Bengio, *On the
    /// Difficulty of Training Recurrent Neural Networks* (ICML 2013), algorithm 1. Gradients are gathered before any
    /// of them is used, which costs a pass over them and as much memory as they take.
    GlobalNorm(f64),
}

impl Clip {
    /// # Panics
    /// If the bound is not positive.
    #[track_caller]
    pub(super) fn check(self) {
        if let Clip::Value(bound) | Clip::Norm(bound) | Clip::GlobalNorm(bound) = self {
            assert!(bound > 0.0, "the bound of a gradient must be positive, but it is {bound}");
        }
    }

    /// Multiplies a gradient by `factor` and bounds it; that of the norm of all is in the factor already.
    pub(super) fn apply<E: Dtype>(self, gradient: &mut [E], factor: f64) {
        if factor != 1.0 {
            scale(gradient, factor);
        }
        match self {
            Clip::None | Clip::GlobalNorm(_) => {}
            Clip::Value(bound) => {
                let bound = E::of(bound);
                let finite = gradient.iter_mut().filter(|g| g.is_finite());
                finite.for_each(|g| *g = g.max(-bound).min(bound));
            }
            Clip::Norm(bound) => {
                let norm = sum_of_squares(gradient).sqrt();
                if norm > bound {
                    scale(gradient, bound / norm);
                }
            }
        }
    }
}

fn scale<E: Dtype>(gradient: &mut [E], factor: f64) {
    let factor = E::of(factor);
    gradient.iter_mut().for_each(|g| *g *= factor);
}

/// Of the elements that are finite.
pub(super) fn sum_of_squares<E: Dtype>(gradient: &[E]) -> f64 {
    gradient.iter().map(|g| g.wide()).filter(|g| g.is_finite()).map(|g| g * g).sum()
}
