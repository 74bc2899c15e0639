//! Objectives: what a step of variational inference lowers.

use ppl_core::backend::Backend;
use ppl_core::{Dtype, Error, Tensor};

use crate::runs::Runs;

// A plain function as an objective.
mod loss;
// The evidence lower bound over whole traces.
mod trace_elbo;

pub use loss::Loss;
pub use trace_elbo::{DecayingAverage, TraceElbo};

/// A loss over runs of guide and model.
///
/// Parameters of the objective's own (a baseline's network) live in [`Runs::params`] under names of the
/// objective's choice; the same optimiser follows their gradients.
pub trait Objective<E: Dtype, D: Backend<E>> {
    /// An estimate of the loss, and a tensor whose gradient is an estimate of the loss's gradient
    /// (and whose value need not be the loss).
    ///
    /// # Errors
    /// Those of the runs, and the first log-density that is not finite.
    fn surrogate(&mut self, runs: &mut dyn Runs<E, D>) -> Result<(f64, Tensor<(), E, D>), Error>;

    /// An estimate of the loss alone; changes nothing.
    ///
    /// # Errors
    /// Those of the runs, and the first log-density that is not finite.
    fn loss(&self, runs: &mut dyn Runs<E, D>) -> Result<f64, Error>;

    /// What the objective remembers from step to step, for checkpoints.
    fn state(&self) -> Vec<f64> {
        Vec::new()
    }

    /// Puts a saved state in the place of this one.
    fn set_state(&mut self, _state: &[f64]) {}
}
