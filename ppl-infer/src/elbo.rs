//! Objectives: what a step of variational inference lowers.

use ppl_core::backend::Backend;
use ppl_core::{Dtype, Error, Tensor};

use crate::runs::Runs;

// A plain function as an objective.
mod loss;
// Numbers of draws, and slopes in them.
mod points;
// The evidence lower bound of one pair of runs.
mod bound;
// A baseline that follows what was seen.
mod decaying_average;
// The evidence lower bound over whole traces.
mod trace_elbo;
// The same with closed divergences.
mod trace_mean_field_elbo;
// The same with discrete sites summed out.
mod trace_enum_elbo;
// What a site's value can change, by order and by plate.
mod downstream;
// What is taken off the cost of a scored site.
mod baseline;
// The evidence lower bound with scores weighed by downstream costs alone.
mod trace_graph_elbo;
// Weights of several runs.
mod weights;
// Rényi's bound, and the importance-weighted one.
mod renyi_elbo;
// Runs weighed by ranks.
mod tail_adaptive;
// Wake and sleep phases.
mod reweighted_wake_sleep;
// Draws of two distributions as points, and their discrepancy.
mod clouds;
// The discrepancy of guide and prior in the place of a divergence.
mod mmd;
// Draws of the observations beside the data.
mod energy_distance;

pub use baseline::Baseline;
pub use decaying_average::DecayingAverage;
pub use energy_distance::EnergyDistance;
pub use loss::Loss;
pub use mmd::{LengthScale, Mmd};
pub use renyi_elbo::RenyiElbo;
pub use reweighted_wake_sleep::ReweightedWakeSleep;
pub use tail_adaptive::TailAdaptive;
pub use trace_elbo::TraceElbo;
pub use trace_enum_elbo::TraceEnumElbo;
pub use trace_graph_elbo::TraceGraphElbo;
pub use trace_mean_field_elbo::TraceMeanFieldElbo;

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

    /// Whether a saved state can take the place of this one.
    fn accepts(&self, state: &[f64]) -> bool {
        state.len() == self.state().len()
    }

    /// Puts a saved state in the place of this one.
    fn set_state(&mut self, _state: &[f64]) {}
}
