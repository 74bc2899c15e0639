//! A kernel on a target: where it begins, its warm-up, and its draws.

use std::error::Error;

use ppl_core::Dtype;
use ppl_core::rng::Rng;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error as ThisError;

use crate::draws::{DivergentStep, SampleStats, Variable};
use crate::target::{Explanation, InitStrategy, NoStart, Start, Target, finite_start};

use super::hmc::{Hmc, HmcOptions};
use super::kernel::{Divergence, State, Tunable};
use super::metric::Metric;
use super::metropolis::{Metropolis, MetropolisOptions};
use super::nuts::{Nuts, NutsOptions};
use super::sampler::{Sampler, Step, Tuning};
use super::warmup::{Warmup, WarmupError, WarmupOptions};

/// What makes a kernel of a dimension: the options of [`Nuts`], [`Hmc`] and [`Metropolis`].
pub trait KernelOptions<E: Dtype> {
    /// The kernel.
    type Kernel;

    /// A kernel for positions of so many coordinates, with the unit metric and a step size of 1.
    fn kernel(&self, dim: usize) -> Self::Kernel;
}

impl<E: Dtype> KernelOptions<E> for NutsOptions {
    type Kernel = Nuts<E>;

    fn kernel(&self, dim: usize) -> Nuts<E> {
        Nuts::new(1.0, Metric::Identity(dim), *self)
    }
}

impl<E: Dtype> KernelOptions<E> for HmcOptions {
    type Kernel = Hmc<E>;

    fn kernel(&self, dim: usize) -> Hmc<E> {
        Hmc::new(1.0, Metric::Identity(dim), *self)
    }
}

impl<E: Dtype> KernelOptions<E> for MetropolisOptions {
    type Kernel = Metropolis<E>;

    fn kernel(&self, dim: usize) -> Metropolis<E> {
        Metropolis::new(1.0, Metric::Identity(dim))
    }
}

/// What keeps a chain from beginning, or ends it.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum SamplerError<F: Error> {
    /// No initial position has a finite log-density and gradient.
    #[error(
        "none of {attempts} initial positions has a finite log-density and gradient; give initial values, or mend \
         what begins with `!` at the last one:\n{last}"
    )]
    NoStart {
        /// How many were tried.
        attempts: usize,
        /// The terms of the log-density at the last one.
        last: Explanation,
    },
    /// The target knows no such strategy.
    #[error("the target is a bare density: a chain can begin uniformly, but not as asked for: {0}")]
    Strategy(String),
    /// The kernel could not be tuned.
    #[error(transparent)]
    Warmup(WarmupError<F>),
    /// The target failed.
    #[error(transparent)]
    Target(F),
}

/// A kernel on a target.
#[derive(Clone, Debug)]
pub struct DensitySampler<E, T, K> {
    target: T,
    kernel: K,
    variables: Vec<Variable>,
    moving: Moving<E>,
}

/// What changes from step to step, beside the kernel.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Moving<E> {
    state: State<E>,
    warmup: Warmup,
}

/// What is saved.
#[derive(Serialize, Deserialize)]
struct Saved<E> {
    dtype: String,
    moving: Moving<E>,
    step_size: f64,
    metric: Metric<E>,
}

impl<E: Dtype, T: Target<E>, K: Tunable<E, T>> DensitySampler<E, T, K> {
    /// Finds a position to begin with, and begins the warm-up.
    ///
    /// # Errors
    /// If no position will do; those of the target; if no step size suits.
    pub fn begin(
        mut target: T,
        kernel: &impl KernelOptions<E, Kernel = K>,
        warmup: &WarmupOptions,
        init: &InitStrategy,
        rng: &mut Rng,
    ) -> Result<Self, SamplerError<T::Error>> {
        let mut kernel = kernel.kernel(target.dim());
        let variables = target.variables().map_err(SamplerError::Target)?;
        let state = start(&mut target, init, rng)?;
        let warmup = Warmup::begin(warmup, &mut kernel, &mut target, &state, rng).map_err(SamplerError::Warmup)?;
        Ok(DensitySampler { target, kernel, variables, moving: Moving { state, warmup } })
    }

    /// Where the chain is.
    pub fn state(&self) -> &State<E> {
        &self.moving.state
    }

    /// The kernel, with its step size and metric.
    pub fn kernel(&self) -> &K {
        &self.kernel
    }

    /// The target.
    pub fn target(&mut self) -> &mut T {
        &mut self.target
    }
}

/// A state at a position whose log-density and gradient are finite.
fn start<E: Dtype, T: Target<E>>(
    target: &mut T,
    init: &InitStrategy,
    rng: &mut Rng,
) -> Result<State<E>, SamplerError<T::Error>> {
    match finite_start(target, init, rng) {
        Ok(Start { position, log_density, gradient }) => Ok(State { position, gradient, log_density }),
        Err(NoStart::Target(error)) => Err(SamplerError::Target(error)),
        Err(NoStart::Strategy(strategy)) => Err(SamplerError::Strategy(strategy)),
        Err(NoStart::NotFinite { attempts, last }) => Err(SamplerError::NoStart { attempts, last }),
    }
}

impl<E: Dtype, T: Target<E>, K: Tunable<E, T>> Sampler for DensitySampler<E, T, K>
where
    T::Error: Send + Sync + 'static,
{
    type Error = SamplerError<T::Error>;

    fn variables(&self) -> &[Variable] {
        &self.variables
    }

    fn step(&mut self, rng: &mut Rng) -> Result<Step, Self::Error> {
        let step_size = self.kernel.step_size();
        let Moving { state, warmup } = &mut self.moving;
        let info = warmup.step(&mut self.kernel, &mut self.target, state, rng).map_err(SamplerError::Warmup)?;
        let stats = SampleStats {
            log_density: self.moving.state.log_density,
            accept_probability: info.accept_probability,
            step_size,
            energy: info.energy,
            depth: info.depth,
            depth_saturated: info.depth_saturated,
            evaluations: info.evaluations,
            diverging: info.divergence.is_some(),
        };
        let divergence = info.divergence.map(|divergence| self.located(divergence)).transpose()?;
        Ok(Step { stats, divergence })
    }

    fn values(&mut self, values: &mut Vec<f64>) -> Result<(), Self::Error> {
        self.target.values(&self.moving.state.position, values).map_err(SamplerError::Target)
    }

    fn tuning(&self) -> Option<Tuning> {
        Some(Tuning { step_size: self.kernel.step_size(), inverse_mass: self.kernel.metric().variances() })
    }

    fn save(&self) -> Value {
        let saved = Saved {
            dtype: E::NAME.to_owned(),
            moving: self.moving.clone(),
            step_size: self.kernel.step_size(),
            metric: self.kernel.metric().clone(),
        };
        // Fields and finite numbers have a form in JSON; what is not finite is `null`, and is refused on the way back.
        serde_json::to_value(saved).unwrap_or(Value::Null)
    }

    fn restore(&mut self, saved: Value) -> Result<(), String> {
        let saved: Saved<E> = serde_json::from_value(saved).map_err(|error| error.to_string())?;
        let dim = self.target.dim();
        if saved.dtype != E::NAME {
            return Err(format!("it was saved as {}, but the model is in {}", saved.dtype, E::NAME));
        }
        if saved.moving.state.position.len() != dim || saved.metric.dim() != dim {
            let found = saved.moving.state.position.len();
            return Err(format!("it has {found} unconstrained numbers, but the model has {dim}"));
        }
        self.moving = saved.moving;
        self.kernel.set_metric(saved.metric);
        self.kernel.set_step_size(saved.step_size);
        Ok(())
    }
}

impl<E: Dtype, T: Target<E>, K: Tunable<E, T>> DensitySampler<E, T, K> {
    /// A divergence with the variables where its last step began.
    fn located(&mut self, divergence: Divergence<E>) -> Result<DivergentStep, SamplerError<T::Error>> {
        let mut values = Vec::new();
        self.target.values(&divergence.from, &mut values).map_err(SamplerError::Target)?;
        let wide = |position: Vec<E>| position.into_iter().map(Dtype::wide).collect();
        Ok(DivergentStep {
            draw: 0,
            values,
            from: wide(divergence.from),
            to: wide(divergence.to),
            energy_error: divergence.energy_error,
        })
    }
}
