//! Inference for ppl: variational inference (objectives, optimisers, the loop that joins them), and densities, Markov kernels and
//! diagnostics of draws.
//!
//! Modules stand in dependency order; each uses only those above it.

// Files that are either the old one or the new one.
mod atomic_file;
// Log densities over flat vectors: what samplers ask of a target.
pub mod density;
// What draws tell of a posterior, and of themselves.
pub mod diagnostics;
// What a sampler drew.
pub mod draws;
// Draws in files that other tools read.
pub mod export;
// Pictures of draws.
pub mod pictures;
// What a chain samples: a density whose positions have names.
pub mod target;
// Exact sums over discrete sites.
pub mod enumeration;
// The density that a value is drawn with.
mod drawn;
// All executions of a model, one after another.
pub mod executions;
// Single-site Metropolis over traces.
pub mod trace_metropolis;
// A model with data as a density over a vector.
pub mod model_density;
// Markov chain Monte Carlo: kernels and their warm-up.
pub mod mcmc;
// Saving and loading, atomically.
pub mod checkpoint;
// Chains of a sampler, and all that they draw.
pub mod chains;
// Gibbs sampling: blocks of a model's sites, each with a kernel of its own.
pub mod gibbs;
// What a model says of data, and data of a model, under its prior, draws or a guide.
pub mod predictive;
// Guides made of a model alone.
pub mod autoguide;
// How parameters follow their gradients.
pub mod optim;
// Particles that move together.
pub mod svgd;
// One run of guide and model, joined.
pub mod pair;
// Weighted draws: importance sampling, rejection, sequential Monte Carlo.
pub mod monte_carlo;
// What an objective can ask for.
pub mod runs;
// Objectives: what a step of variational inference lowers.
pub mod elbo;
// Stochastic variational inference.
pub mod svi;

pub use autoguide::{
    AutoCallable, AutoDelta, AutoDiagonalNormal, AutoDiscreteParallel, AutoGuideList, AutoIafNormal,
    AutoLaplaceApproximation, AutoLowRankMultivariateNormal, AutoMultivariateNormal, AutoNormal, AutoNormalizingFlow,
    AutoStructured,
};
pub use chains::{Mcmc, McmcOptions};
pub use density::LogDensity;
pub use draws::Draws;
pub use elbo::{
    Baseline, EnergyDistance, LengthScale, Loss, Mmd, Objective, RenyiElbo, ReweightedWakeSleep, TailAdaptive,
    TraceElbo, TraceEnumElbo, TraceGraphElbo, TraceMeanFieldElbo,
};
pub use enumeration::InferDiscrete;
pub use executions::{Executions, Explored};
pub use gibbs::Gibbs;
pub use model_density::{LatentSite, ModelDensity};
pub use monte_carlo::{Importance, ParticleGibbs, Pmmh, Rejection, SmcFilter, Tempered};
pub use optim::{AdaBound, AdaGrad, Adam, AdamW, AmsGrad, Clip, ClippedAdam, Optimizer, RmsProp, Schedule, Sgd};
pub use predictive::{Predictive, log_likelihood};
pub use svgd::{Svgd, SvgdOptions};
pub use svi::{RunOptions, StopReason, Svi};
pub use target::{InitStrategy, Target};
pub use trace_metropolis::TraceMetropolis;
