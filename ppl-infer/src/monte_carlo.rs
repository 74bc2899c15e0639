//! Weighted draws: importance sampling, rejection, sequential Monte Carlo over time and over temperatures, and the
//! Markov chains that are made of particle filters.
//!
//! All that is random comes from a seed, and each draw, or particle at a time, has a stream of it of its own: results are
//! the same on any number of threads.

// What can go wrong.
mod error;
// Which particles go on.
mod resampling;
// Weights as logarithms.
mod weights;
// One run and its weight.
mod weighted_run;
// Runs over threads.
mod blocks;
// Draws with weights.
mod weighted_traces;
// Importance sampling.
mod importance;
// Exact draws by rejection.
mod rejection;
// The contract of a model unrolled in time.
mod state_space;
// The particles of every time.
mod filtered;
// The particle filter.
mod smc_filter;
// Trajectories by particle filters with a condition.
mod particle_gibbs;
// Data under a power.
mod annealed;
// How particles move.
mod moves;
// From the prior to the posterior.
mod tempered;
// Random walks over parameters whose likelihood is estimated.
mod pmmh;

pub use error::MonteCarloError;
pub use filtered::{Filtered, Generation};
pub use importance::{FromGuide, FromPrior, Importance, Proposal};
pub use moves::Moves;
pub use particle_gibbs::{Ancestry, ParticleGibbs, Trajectory};
pub use pmmh::{Pmmh, PmmhOptions};
pub use rejection::{Accepted, Rejection};
pub use resampling::Resampling;
pub use smc_filter::SmcFilter;
pub use state_space::{Bootstrap, Guided, StateSpace};
pub use tempered::{Temperature, Tempered, TemperedDraws, TemperedOptions};
pub use weighted_run::{Impossible, Setting, WeightedRun};
pub use weighted_traces::WeightedTraces;
pub use weights::{Estimate, Weights};
