//! Hamiltonian Monte Carlo with trajectories of a fixed length: the last point is accepted by its energy.

use ppl_core::Dtype;
use ppl_core::rng::Rng;

use super::kernel::{Divergence, Info, Kernel, State, StepSizeSearch, Tunable};
use super::leapfrog::{PhasePoint, leapfrog};
use super::metric::Metric;
use super::step_size_search;
use super::trajectory::{Choices as _, symmetric_acceptance};
use crate::density::LogDensity;

/// How long trajectories are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Length {
    /// So many steps, at least one.
    Steps(u32),
    /// So much time: as many whole steps as it has, at least one and at most [`HmcOptions::max_steps`].
    Time(f64),
}

/// The options of [`Hmc`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HmcOptions {
    /// How long trajectories are; default a time of 2π, as Stan's.
    pub length: Length,
    /// The most steps that a time may come to; default 10 000.
    pub max_steps: u32,
    /// The energy error from which a trajectory counts as divergent; default 1000. It changes no draws.
    pub max_energy_error: f64,
    /// Each trajectory's step size is drawn from step size · (1 ± jitter), with the number of steps left as it is;
    /// in [0, 1), default 0.
    pub jitter: f64,
}

impl Default for HmcOptions {
    fn default() -> Self {
        let length = Length::Time(std::f64::consts::TAU);
        HmcOptions { length, max_steps: 10_000, max_energy_error: 1000.0, jitter: 0.0 }
    }
}

/// Hamiltonian Monte Carlo. Neal, *MCMC using Hamiltonian dynamics* (2011).
#[derive(Clone, Debug)]
pub struct Hmc<E> {
    options: HmcOptions,
    step_size: f64,
    metric: Metric<E>,
    points: [PhasePoint<E>; 2],
}

impl<E: Dtype> Hmc<E> {
    /// A sampler with this step size and metric, whose dimension is the density's.
    pub fn new(step_size: f64, metric: Metric<E>, options: HmcOptions) -> Self {
        let points = [PhasePoint::zeros(metric.dim()), PhasePoint::zeros(metric.dim())];
        Hmc { options, step_size, metric, points }
    }

    fn steps(&self) -> u32 {
        match self.options.length {
            Length::Steps(steps) => steps.max(1),
            // A cast takes what is not a number for 0, and stays in range.
            Length::Time(time) => ((time / self.step_size) as u32).clamp(1, self.options.max_steps.max(1)),
        }
    }
}

impl<E: Dtype, D: LogDensity<E>> Kernel<E, D> for Hmc<E> {
    fn step(&mut self, density: &mut D, state: &mut State<E>, rng: &mut Rng) -> Result<Info<E>, D::Error> {
        let step = step_size_search::jittered(self.step_size, self.options.jitter, rng);
        let steps = self.steps();
        self.points[1].begin(state, &mut self.metric, rng);
        let start = self.points[1].energy;
        let mut evaluations = 0;
        // What is not finite stops both ways along a path alike, so that the kernel stays reversible.
        while evaluations < steps && self.points[1].energy.is_finite() {
            self.points.swap(0, 1);
            let [from, to] = &mut self.points;
            leapfrog(density, &mut self.metric, step, from, to)?;
            evaluations += 1;
        }
        let [from, to] = &mut self.points;
        let error = to.energy - start;
        let accept_probability = if error.is_finite() { (-error).exp().min(1.0) } else { 0.0 };
        let diverged = !(error <= self.options.max_energy_error && error.is_finite());
        let divergence = diverged.then(|| {
            let (from, to) = (from.position.clone(), to.position.clone());
            Divergence { from, to, energy_error: error }
        });
        let accepted = rng.accept(accept_probability);
        if accepted {
            to.move_to(state);
        }
        let energy = if accepted { to.energy } else { start };
        Ok(Info {
            accept_probability,
            symmetric_acceptance: symmetric_acceptance(-error),
            energy,
            divergence,
            depth: 0,
            depth_saturated: false,
            evaluations,
        })
    }
}

impl<E: Dtype, D: LogDensity<E>> Tunable<E, D> for Hmc<E> {
    fn step_size(&self) -> f64 {
        self.step_size
    }

    fn set_step_size(&mut self, step_size: f64) {
        self.step_size = step_size;
    }

    fn metric(&self) -> &Metric<E> {
        &self.metric
    }

    fn set_metric(&mut self, metric: Metric<E>) {
        self.metric = metric;
    }

    fn search_step_size(
        &mut self,
        density: &mut D,
        state: &State<E>,
        rng: &mut Rng,
    ) -> Result<StepSizeSearch, D::Error> {
        step_size_search::search(density, &mut self.metric, state, self.step_size, rng)
    }
}
