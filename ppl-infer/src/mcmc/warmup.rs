//! Warm-up: a kernel's step size and metric are tuned while it runs.

use std::error::Error;

use ppl_core::Dtype;
use ppl_core::rng::Rng;
use serde::{Deserialize, Serialize};
use thiserror::Error as ThisError;

use super::dual_averaging::DualAveraging;
use super::estimator::MetricShape;
use super::kernel::{Info, State, StepSizeSearch, Tunable};
use super::metric::InvalidMetric;
use super::schedule::{Learned, Learning, Schedule};
use crate::density::LogDensity;

/// The options of a [`Warmup`].
#[derive(Clone, Debug, PartialEq)]
pub struct WarmupOptions {
    /// The schedule; default 1000 iterations in overlapping windows.
    pub schedule: Schedule,
    /// The mean probability of acceptance to aim at, in (0, 1); default 0.8. 0.234 suits a random walk.
    pub target_accept: f64,
    /// What the metric looks like; default diagonal.
    pub metric: MetricShape,
}

impl Default for WarmupOptions {
    fn default() -> Self {
        WarmupOptions { schedule: Schedule::default(), target_accept: 0.8, metric: MetricShape::default() }
    }
}

/// What ends a warm-up.
#[derive(Clone, Debug, ThisError, PartialEq)]
#[non_exhaustive]
pub enum WarmupError<F: Error> {
    /// The density failed.
    #[error(transparent)]
    Density(F),
    /// Steps of any size are accepted.
    #[error("steps of any size are accepted: the density seems to be improper; look for a variable without a prior")]
    StepSizeTooLarge,
    /// Steps of no size are accepted.
    #[error(
        "steps of no size are accepted: the density seems not to be continuous at this position, or its gradient \
         is wrong"
    )]
    StepSizeTooSmall,
    /// The draws give no metric.
    #[error("the draws give no metric: {0}; the density may be too wide or improper")]
    Metric(#[from] InvalidMetric),
}

/// A kernel's warm-up, one iteration at a time: dual averaging of the step size throughout, and new metrics and
/// searches for a step size as the schedule has them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Warmup {
    iterations: usize,
    averaging: DualAveraging,
    learning: Learning,
    iteration: usize,
}

impl Warmup {
    /// Begins a warm-up: the kernel gets the unit metric in the shape to be estimated, and a first step size.
    ///
    /// # Errors
    /// Those of the density; if no step size suits; if blocks are no partition of the coordinates.
    pub fn begin<E: Dtype, D: LogDensity<E>>(
        options: &WarmupOptions,
        kernel: &mut impl Tunable<E, D>,
        density: &mut D,
        state: &State<E>,
        rng: &mut Rng,
    ) -> Result<Self, WarmupError<D::Error>> {
        let mut warmup = Warmup {
            iterations: options.schedule.warmup(),
            averaging: DualAveraging::new(1.0, options.target_accept),
            learning: Learning::new(&options.schedule, &options.metric, density.dim()),
            iteration: 0,
        };
        kernel.set_metric(warmup.learning.unit()?);
        warmup.restart_step_size(kernel, density, state, rng)?;
        Ok(warmup)
    }

    /// Whether all iterations are done; the kernel then has the step size and the metric to sample with.
    pub fn is_done(&self) -> bool {
        self.iteration >= self.iterations
    }

    /// How many iterations are done.
    pub fn iteration(&self) -> usize {
        self.iteration
    }

    /// Steps, and learns from the step; only steps where the warm-up is done.
    ///
    /// # Errors
    /// Those of the density; if no step size suits; if the draws give no metric.
    pub fn step<E: Dtype, D: LogDensity<E>>(
        &mut self,
        kernel: &mut impl Tunable<E, D>,
        density: &mut D,
        state: &mut State<E>,
        rng: &mut Rng,
    ) -> Result<Info<E>, WarmupError<D::Error>> {
        let info = kernel.step(density, state, rng).map_err(WarmupError::Density)?;
        if !self.is_done() {
            self.averaging.learn(self.learning.acceptance(&info));
            kernel.set_step_size(self.averaging.step_size());
            self.learn_metric(kernel, density, state, rng)?;
            self.iteration += 1;
            if self.is_done() {
                kernel.set_step_size(self.averaging.final_step_size());
            }
        }
        Ok(info)
    }

    /// Takes the state in, and gives the kernel a new metric where the schedule has one.
    fn learn_metric<E: Dtype, D: LogDensity<E>>(
        &mut self,
        kernel: &mut impl Tunable<E, D>,
        density: &mut D,
        state: &State<E>,
        rng: &mut Rng,
    ) -> Result<(), WarmupError<D::Error>> {
        let learned = self.learning.learn(self.iteration, &state.position, &state.gradient)?;
        let Some(Learned { metric, restarts }) = learned else { return Ok(()) };
        kernel.set_metric(metric);
        if restarts { self.restart_step_size(kernel, density, state, rng) } else { Ok(()) }
    }

    /// Searches for a step size from the kernel's present one, and begins to average anew.
    fn restart_step_size<E: Dtype, D: LogDensity<E>>(
        &mut self,
        kernel: &mut impl Tunable<E, D>,
        density: &mut D,
        state: &State<E>,
        rng: &mut Rng,
    ) -> Result<(), WarmupError<D::Error>> {
        match kernel.search_step_size(density, state, rng).map_err(WarmupError::Density)? {
            StepSizeSearch::Found(step_size) => {
                kernel.set_step_size(step_size);
                self.averaging.restart(step_size);
                Ok(())
            }
            StepSizeSearch::TooLarge => Err(WarmupError::StepSizeTooLarge),
            StepSizeSearch::TooSmall => Err(WarmupError::StepSizeTooSmall),
        }
    }
}
