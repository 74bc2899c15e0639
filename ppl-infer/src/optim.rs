//! Optimisers: fused, threaded, in place, with a learning rate for each parameter.

use indexmap::IndexMap;
use ppl_core::autodiff::Gradients;
use ppl_core::backend::Backend;
use ppl_core::params::ParamStore;
use ppl_core::{Dtype, Error};

// How a learning rate changes with the steps.
mod schedule;
// Bounds of gradients.
mod clip;
// A rule with learning rates and the state of each tensor.
mod tensors;
// A rule over several slices at once, in blocks over threads.
mod blocks;
/// The constructor of an alias of [`Optim`] whose rule has its default options.
macro_rules! with_default_options {
    ($Alias:ident, $Rule:ident) => {
        impl<E: Dtype> $Alias<E> {
            /// The optimiser with default options.
            ///
            /// # Panics
            /// If the learning rate is not positive and finite.
            #[track_caller]
            pub fn new(learning_rate: f64) -> Self {
                Self::with_rule($Rule::default(), learning_rate)
            }
        }
    };
}

// AdaBound.
mod ada_bound;
// AdaGrad.
mod ada_grad;
// Adam.
mod adam;
// Adam with decoupled weight decay.
mod adam_w;
// Adam with a denominator that never falls.
mod ams_grad;
// Pyro's ClippedAdam.
mod clipped_adam;
// RMSProp.
mod rms_prop;
// Stochastic gradient descent with momentum.
mod sgd;

pub use ada_bound::{AdaBound, AdaBoundRule};
pub use ada_grad::{AdaGrad, AdaGradRule};
pub use adam::{Adam, AdamRule};
pub use adam_w::{AdamW, AdamWRule};
pub use ams_grad::{AmsGrad, AmsGradRule};
pub use clip::Clip;
pub use clipped_adam::{ClippedAdam, ClippedAdamRule};
pub use rms_prop::{RmsProp, RmsPropRule};
pub use schedule::Schedule;
pub use sgd::{Sgd, SgdRule};
pub use tensors::Optim;

/// Changes parameters by their gradients.
pub trait Optimizer<E: Dtype, D: Backend<E>> {
    /// Updates every parameter that this round's statements asked for.
    ///
    /// # Errors
    /// If a gradient is not finite: it names the parameter and the element, whose value is left as
    /// it was.
    fn step(&mut self, params: &mut ParamStore<E, D>, grads: &mut Gradients<E, D>) -> Result<(), Error>;

    /// The optimiser's name, for checkpoints.
    fn name(&self) -> &'static str;

    /// Hears the loss of each step, for schedules that follow it.
    fn observe(&mut self, _loss: f64) {}

    /// The names of its slots, in their order in [`TensorState`], for checkpoints.
    fn slots(&self) -> Vec<&'static str>;

    /// Its state: for each tensor, by full name, the number of its steps and its slots.
    fn state(&self) -> &IndexMap<String, TensorState<E>>;

    /// Puts a saved state in the place of this one.
    fn set_state(&mut self, state: IndexMap<String, TensorState<E>>);

    /// What it remembers beside the tensors: where its schedule stands.
    fn memory(&self) -> Vec<f64> {
        Vec::new()
    }

    /// Puts a saved memory, of as many numbers, in the place of this one.
    fn set_memory(&mut self, _memory: &[f64]) {}
}

/// What an optimiser remembers of one tensor.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TensorState<E> {
    /// How often it was updated.
    pub steps: u64,
    /// How many gradients it holds for its next update.
    pub held: u64,
    /// Running averages and the like, each as long as the tensor.
    pub slots: Vec<Vec<E>>,
}

/// How one tensor's elements follow their gradients.
pub trait Rule {
    /// The optimiser's name.
    const NAME: &'static str;
    /// The names of the slots.
    const SLOTS: &'static [&'static str];

    /// Updates the elements; `step` counts this tensor's updates from 1. Elements whose gradient is
    /// not finite stay as they are; the first of them is returned.
    fn update<E: Dtype>(&self, rate: f64, step: u64, tensor: Update<'_, E>) -> Option<usize>;
}

/// A tensor, its gradient and its slots, all of one length.
pub struct Update<'a, E> {
    /// The elements.
    pub value: &'a mut [E],
    /// Their gradients.
    pub gradient: &'a mut [E],
    /// The optimiser's slots.
    pub slots: &'a mut [Vec<E>],
}
