//! How particles move at a temperature: Markov kernels whose metric and step size the particles themselves tell.

use ppl_core::rng::Rng;
use ppl_core::{Dtype, Error};

use super::error::MonteCarloError;
use super::weights::Weights;
use crate::density::LogDensity;
use crate::mcmc::{
    Hmc, HmcOptions, Kernel, Length, Metric, Metropolis, Nuts, NutsOptions, State, StepSizeSearch, Tunable,
};

/// How particles move at each temperature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moves {
    /// So many steps of a random walk with the particles' covariance.
    RandomWalk(usize),
    /// So many steps of Hamiltonian Monte Carlo, each about a quarter of an oscillation long.
    Hmc(usize),
    /// So many steps of the no-U-turn sampler.
    Nuts(usize),
}

impl Default for Moves {
    fn default() -> Self {
        Moves::Hmc(5)
    }
}

/// Moves with a step size and a metric, both of the temperature that was last fitted.
#[derive(Clone, Debug)]
pub(super) struct Tuned<E> {
    moves: Moves,
    step_size: Option<f64>,
    metric: Metric<E>,
}

impl<E: Dtype> Tuned<E> {
    pub(super) fn new(moves: Moves) -> Self {
        Tuned { moves, step_size: None, metric: Metric::Identity(0) }
    }

    /// The step size; 1 before there is one.
    pub(super) fn step_size(&self) -> f64 {
        self.step_size.unwrap_or(1.0)
    }

    /// Takes the metric from weighted particles, and at the first temperature a step size by trial.
    pub(super) fn fit<D: LogDensity<E, Error = Error>>(
        &mut self,
        density: &mut D,
        particles: &[(Vec<E>, f64)],
        weights: &Weights,
        rng: &mut Rng,
    ) -> Result<(), MonteCarloError> {
        let positions: Vec<&[E]> = particles.iter().map(|(position, _)| position.as_slice()).collect();
        self.metric = match self.moves {
            Moves::RandomWalk(_) => Metric::dense(density.dim(), &covariance(&positions, weights, false))?,
            Moves::Hmc(_) | Moves::Nuts(_) => {
                let covariance = covariance(&positions, weights, true);
                Metric::diagonal(&covariance)?
            }
        };
        if self.step_size.is_none() && density.dim() > 0 {
            let log = weights.log();
            let best = (0..log.len()).max_by(|&a, &b| log[a].total_cmp(&log[b])).unwrap_or(0);
            let found = self.search(density, positions[best], rng);
            let found = found.map_err(|error| MonteCarloError::Run { draw: best, time: None, error })?;
            self.step_size = Some(match found {
                StepSizeSearch::Found(step_size) => step_size,
                StepSizeSearch::TooLarge | StepSizeSearch::TooSmall => 0.1,
            });
        }
        Ok(())
    }

    /// Makes steps longer where they were accepted more often than they should be, and shorter where less.
    pub(super) fn accepted(&mut self, acceptance: f64) {
        // The rates at which each kernel is at its best in many dimensions.
        let target = if let Moves::RandomWalk(_) = self.moves { 0.3 } else { 0.8 };
        self.step_size = self.step_size.map(|step_size| step_size * (acceptance - target).exp());
    }

    /// A particle after its moves, and the mean probability that they were accepted.
    pub(super) fn moved<D: LogDensity<E, Error = Error>>(
        &self,
        density: &mut D,
        position: &[E],
        rng: &mut Rng,
    ) -> Result<(Vec<E>, f64), Error> {
        if position.is_empty() {
            return Ok((Vec::new(), 1.0));
        }
        let (step_size, metric) = (self.step_size(), self.metric.clone());
        match self.moves {
            Moves::RandomWalk(steps) => walk(&mut Metropolis::new(step_size, metric), steps, density, position, rng),
            Moves::Hmc(steps) => walk(&mut hmc(step_size, metric), steps, density, position, rng),
            Moves::Nuts(steps) => {
                walk(&mut Nuts::new(step_size, metric, NutsOptions::default()), steps, density, position, rng)
            }
        }
    }

    fn search<D: LogDensity<E, Error = Error>>(
        &self,
        density: &mut D,
        position: &[E],
        rng: &mut Rng,
    ) -> Result<StepSizeSearch, Error> {
        let (state, metric) = (State::at(density, position)?, self.metric.clone());
        match self.moves {
            Moves::RandomWalk(_) => Metropolis::new(1.0, metric).search_step_size(density, &state, rng),
            // One trial is enough for both: they take the same steps.
            Moves::Hmc(_) | Moves::Nuts(_) => hmc(1.0, metric).search_step_size(density, &state, rng),
        }
    }
}

fn hmc<E: Dtype>(step_size: f64, metric: Metric<E>) -> Hmc<E> {
    // Different lengths, so that no oscillation has the period of the trajectories.
    let options = HmcOptions {
        length: Length::Time(std::f64::consts::FRAC_PI_2),
        max_steps: 100,
        jitter: 0.3,
        ..HmcOptions::default()
    };
    Hmc::new(step_size, metric, options)
}

fn walk<E: Dtype, D: LogDensity<E>>(
    kernel: &mut impl Kernel<E, D>,
    steps: usize,
    density: &mut D,
    position: &[E],
    rng: &mut Rng,
) -> Result<(Vec<E>, f64), D::Error> {
    let mut state = kernel.init(density, position)?;
    let mut acceptance = 0.0;
    for _ in 0..steps {
        acceptance += kernel.step(density, &mut state, rng)?.accept_probability / steps as f64;
    }
    Ok((state.position, acceptance))
}

/// The covariance of weighted particles, drawn towards small variances where few of them count, as Stan does it; or the
/// diagonal alone.
fn covariance<E: Dtype>(positions: &[&[E]], weights: &Weights, diagonal: bool) -> Vec<f64> {
    let (weight, dim) = (weights.normalized(), positions.first().map_or(0, |position| position.len()));
    let moment = |f: &dyn Fn(&[E]) -> f64| {
        let counted = weight.iter().zip(positions).filter(|(weight, _)| **weight > 0.0);
        counted.map(|(weight, position)| weight * f(position)).sum::<f64>()
    };
    let means: Vec<f64> = (0..dim).map(|i| moment(&|x| x[i].wide())).collect();
    let (ess, prior) = (weights.ess(), 5.0);
    let shrunk = |i: usize, j: usize| {
        let covariance = moment(&|x| (x[i].wide() - means[i]) * (x[j].wide() - means[j]));
        let small = if i == j { 1e-3 * prior } else { 0.0 };
        (ess * covariance + small) / (ess + prior)
    };
    if diagonal {
        return (0..dim).map(|i| shrunk(i, i)).collect();
    }
    (0..dim * dim).map(|at| shrunk(at / dim.max(1), at % dim.max(1))).collect()
}
