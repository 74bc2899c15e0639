//! Objectives: what a step of variational inference lowers.

use ppl_core::backend::Backend;
use ppl_core::{Dtype, Error, Tensor};

use crate::pair::Pair;

// The evidence lower bound over whole traces.
mod trace_elbo;

pub use trace_elbo::{DecayingAverage, TraceElbo};

/// Draws the pair of runs with the given number; every number has its own stream of randomness.
pub type DrawPair<'a, E, D> = &'a mut dyn FnMut(u64) -> Result<Pair<E, D>, Error>;

/// A loss over pairs of runs of guide and model.
pub trait Objective<E: Dtype, D: Backend<E>> {
    /// An estimate of the loss, and a tensor whose gradient is an estimate of the loss's gradient
    /// (and whose value need not be the loss).
    ///
    /// # Errors
    /// Those of the runs, and the first log-density that is not finite.
    fn surrogate(&mut self, draw: DrawPair<'_, E, D>) -> Result<(f64, Tensor<(), E, D>), Error>;

    /// An estimate of the loss alone; changes nothing.
    ///
    /// # Errors
    /// Those of the runs, and the first log-density that is not finite.
    fn loss(&self, draw: DrawPair<'_, E, D>) -> Result<f64, Error>;

    /// What the objective remembers from step to step, for checkpoints.
    fn state(&self) -> Vec<f64> {
        Vec::new()
    }

    /// Puts a saved state in the place of this one.
    fn set_state(&mut self, _state: &[f64]) {}
}
