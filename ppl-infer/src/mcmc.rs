//! Markov chain Monte Carlo over flat, unconstrained vectors: kernels, and the warm-up that tunes them.
//!
//! A [`Kernel`] makes a [`State`] of a position and steps from state to state; a [`Warmup`] wraps a
//! kernel that is [`Tunable`]. Kernels know nothing of adaptation, chains or models: their target is a
//! [`LogDensity`](crate::density::LogDensity). Positions are of the target's element type; sums, energies
//! and probabilities are `f64`.

// Σ aᵢ·bᵢ in f64, whatever the elements are.
mod inner_product;
// Kinetic energies: the inverse mass matrix.
mod metric;
// The contract of kernels: state, info, init and step.
mod kernel;
// One step of the integrator.
mod leapfrog;
// The contract of a path of points that a tree is grown over.
mod trajectory;
// Doubling trees over a trajectory.
mod tree;
// A step size to begin with.
mod step_size_search;
// Random-walk Metropolis.
mod metropolis;
// Hamiltonian Monte Carlo with trajectories of a fixed length.
mod hmc;
// The no-U-turn sampler.
mod nuts;
// Step sizes that follow the acceptance.
mod dual_averaging;
// Running means, variances and covariances.
mod welford;
// Metrics estimated from draws.
mod estimator;
// Which iterations of a warm-up serve for what: Stan's windows.
mod windows;
// The same, in windows that overlap.
mod overlapping;
// The schedules, and what is learned by them.
mod schedule;
// Warm-up: a kernel is tuned while it runs.
mod warmup;
// The contract of what a chain runs.
mod sampler;
// A kernel on a target, as a sampler.
mod density_sampler;

pub use density_sampler::{DensitySampler, KernelOptions, SamplerError};
pub use dual_averaging::DualAveraging;
pub use estimator::{MetricEstimator, MetricShape};
pub use hmc::{Hmc, HmcOptions, Length};
pub use kernel::{Divergence, Info, Kernel, State, StepSizeSearch, Tunable};
pub use leapfrog::{PhasePoint, leapfrog};
pub use metric::{Block, DenseMetric, DiagonalMetric, InvalidMetric, Metric};
pub use metropolis::{Metropolis, MetropolisOptions};
pub use nuts::{Nuts, NutsOptions};
pub use overlapping::OverlappingWindows;
pub use sampler::{Sampler, Step, Tuning};
pub use schedule::{Adaptation, Schedule};
pub use trajectory::{Choices, Direction, Trajectory, Visit, symmetric_acceptance};
pub use tree::{Stop, Transition, Tree};
pub use warmup::{Warmup, WarmupError, WarmupOptions};
pub use welford::{WelfordCovariance, WelfordVariance};
pub use windows::Windows;
