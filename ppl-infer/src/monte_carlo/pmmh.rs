//! Particle marginal Metropolis–Hastings: a random walk over parameters whose likelihood is known by an unbiased estimate,
//! such as a particle filter's evidence.
//!
//! Andrieu, Doucet and Holenstein, *Particle Markov chain Monte Carlo methods* (2010); why it is exact: Andrieu and
//! Roberts, *The pseudo-marginal approach for efficient Monte Carlo computations* (2009).

use ppl_core::backend::Backend;
use ppl_core::model::{IntoArgs, Model};
use ppl_core::params::ParamStore;
use ppl_core::rng::Rng;
use ppl_core::shared::{Shared, spread};
use ppl_core::{Dtype, Error};
use rand::RngCore;

use super::error::MonteCarloError;
use crate::density::LogDensity;
use crate::draws::{ChainDraws, Draws, SampleStats};
use crate::mcmc::{Choices, Metric, MetricEstimator, MetricShape};
use crate::model_density::ModelDensity;
use crate::target::{InitStrategy, Target};

/// The options of [`Pmmh`].
#[derive(Clone, Debug, PartialEq)]
pub struct PmmhOptions {
    /// How many chains there are, each on a thread; default 2.
    pub chains: usize,
    /// Iterations of each chain's warm-up, which finds the size and shape of the jumps; default 500.
    pub warmup: usize,
    /// Draws of each chain; default 1000.
    pub draws: usize,
    /// The seed of all that is random; default 0.
    pub seed: u64,
}

impl Default for PmmhOptions {
    fn default() -> Self {
        PmmhOptions { chains: 2, warmup: 500, draws: 1000, seed: 0 }
    }
}

/// Particle marginal Metropolis–Hastings.
///
/// The parameters' prior is a model, all of whose latent sites are continuous; their likelihood is a function of the
/// model's typed trace and a seed, which returns an estimate whose exponential is unbiased, as
/// [`Filtered::log_evidence`](super::Filtered::log_evidence) is. The chain then has the exact posterior, whatever the
/// number of particles; where the estimate's deviation is much above 1 it hardly moves. A filter whose weights are all
/// zero counts as a likelihood of zero.
#[derive(Clone, Debug)]
pub struct Pmmh<M, A, F, E: Dtype, D: Backend<E>> {
    density: ModelDensity<M, A, E, D>,
    likelihood: F,
    options: PmmhOptions,
}

/// Where a chain is: the position, and ln of prior times estimated likelihood.
struct Place<E> {
    position: Vec<E>,
    log_density: f64,
}

/// Between the acceptance that is best for random walks where the likelihood is known, 0.23 or more, and the 0.07 that is
/// best where the estimate is as rough as pays. Sherlock, Thiery, Roberts and Rosenthal, *On the efficiency of
/// pseudo-marginal random walk Metropolis algorithms* (2015).
const TARGET: f64 = 0.2;

/// How many positions of the prior are tried as a start.
const ATTEMPTS: usize = 100;

impl<M, A, F, E, D> Pmmh<M, A, F, E, D>
where
    A: Clone + Shared,
    M: Model<A, E = E, D = D> + Clone,
    F: Fn(&M::Trace, u64) -> Result<f64, MonteCarloError> + Shared,
    E: Dtype,
    D: Backend<E>,
{
    /// Chains over the parameters of a prior.
    ///
    /// # Errors
    /// A site of the prior that cannot stand in a vector, or the first error of a run.
    pub fn new(
        prior: M,
        args: impl IntoArgs<Args = A>,
        likelihood: F,
        options: PmmhOptions,
    ) -> Result<Self, MonteCarloError> {
        let density = ModelDensity::of(prior, args.into_args(), ParamStore::new(0)).map_err(|error| at(0, error))?;
        Ok(Pmmh { density, likelihood, options })
    }

    /// Runs the chains.
    ///
    /// # Errors
    /// Those of the prior and of the likelihood; no start with a likelihood above zero.
    pub fn run(&self) -> Result<Draws, MonteCarloError> {
        let variables = self.density.clone().variables().map_err(|error| at(0, error))?;
        let width = variables.last().map_or(0, |last| last.range.end);
        let chains = (0..self.options.chains).map(|chain| (chain, self.density.clone())).collect();
        let done = spread(chains, |(chain, mut density)| self.chain(&mut density, chain as u64, width));
        Ok(Draws::new(variables, done.into_iter().collect::<Result<_, _>>()?))
    }

    fn chain(
        &self,
        density: &mut ModelDensity<M, A, E, D>,
        chain: u64,
        width: usize,
    ) -> Result<ChainDraws, MonteCarloError> {
        let PmmhOptions { warmup, draws, seed, .. } = self.options;
        let rng = &mut Rng::stream(seed, chain);
        let mut place = self.start(density, rng)?;
        let mut jumps = Jumps::new(density.dim());
        let (mut chain, mut row) = (ChainDraws::new(width), Vec::new());
        for iteration in 0..warmup + draws {
            let accept_probability = self.step(density, &mut place, &mut jumps, rng)?;
            if iteration < warmup {
                jumps.learn(&place.position, accept_probability, (iteration, warmup))?;
                continue;
            }
            row.clear();
            density.values(&place.position, &mut row).map_err(|error| at(iteration, error))?;
            let (log_density, step_size) = (place.log_density, jumps.scale);
            let energy = -log_density;
            chain.push(&row, SampleStats { log_density, accept_probability, step_size, energy, ..Default::default() });
        }
        Ok(chain)
    }

    fn start(&self, density: &mut ModelDensity<M, A, E, D>, rng: &mut Rng) -> Result<Place<E>, MonteCarloError> {
        for attempt in 0..ATTEMPTS {
            let candidate = density.candidate(&InitStrategy::Prior, rng).map_err(|error| at(attempt, error))?;
            let position = candidate.unwrap_or_default();
            let log_density = self.estimate(density, &position, rng)?;
            if log_density.is_finite() {
                return Ok(Place { position, log_density });
            }
        }
        let problem = format!("none of {ATTEMPTS} draws of the prior has an estimated likelihood above zero");
        Err(MonteCarloError::Options(problem))
    }

    /// The probability with which the jump was accepted.
    fn step(
        &self,
        density: &mut ModelDensity<M, A, E, D>,
        place: &mut Place<E>,
        jumps: &mut Jumps<E>,
        rng: &mut Rng,
    ) -> Result<f64, MonteCarloError> {
        let position = jumps.jump(&place.position, rng);
        let log_density = self.estimate(density, &position, rng)?;
        let ratio = (log_density - place.log_density).exp().min(1.0);
        // `min` takes NaN for 1.
        let accept_probability = if log_density.is_finite() { ratio } else { 0.0 };
        if rng.accept(accept_probability) {
            *place = Place { position, log_density };
        }
        Ok(accept_probability)
    }

    /// ln of prior times estimated likelihood.
    fn estimate(
        &self,
        density: &mut ModelDensity<M, A, E, D>,
        position: &[E],
        rng: &mut Rng,
    ) -> Result<f64, MonteCarloError> {
        let seed = rng.next_u64();
        let prior = density.log_density(position).map_err(|error| at(0, error))?;
        if !prior.is_finite() {
            return Ok(f64::NEG_INFINITY);
        }
        let typed = density.trace(position).and_then(|trace| trace.typed()).map_err(|error| at(0, error))?;
        match (self.likelihood)(&typed, seed) {
            Ok(likelihood) => Ok(prior + likelihood),
            Err(MonteCarloError::Impossible { .. }) => Ok(f64::NEG_INFINITY),
            Err(error) => Err(error),
        }
    }
}

fn at(draw: usize, error: Error) -> MonteCarloError {
    MonteCarloError::Run { draw, time: None, error }
}

/// Normal jumps, whose size follows the acceptance and whose shape follows the draws while the warm-up lasts.
struct Jumps<E> {
    scale: f64,
    metric: Metric<E>,
    estimator: MetricEstimator,
}

impl<E: Dtype> Jumps<E> {
    fn new(dim: usize) -> Self {
        let estimator = MetricEstimator::new(&MetricShape::Dense, dim);
        Jumps { scale: 2.38 / (dim.max(1) as f64).sqrt(), metric: Metric::Identity(dim), estimator }
    }

    fn jump(&mut self, position: &[E], rng: &mut Rng) -> Vec<E> {
        let mut to = vec![E::of(0.0); position.len()];
        self.metric.draw_displacement(rng, &mut to);
        to.iter_mut().zip(position).for_each(|(to, &from)| *to = from + E::of(self.scale) * *to);
        to
    }

    /// The size changes at every iteration, ever less; the shape once, in the middle, by the second quarter.
    fn learn(
        &mut self,
        position: &[E],
        accept_probability: f64,
        (iteration, warmup): (usize, usize),
    ) -> Result<(), MonteCarloError> {
        let (quarter, half) = (warmup / 4, warmup / 2);
        if (quarter..half).contains(&iteration) {
            self.estimator.add(position, &[]);
        }
        let since = if iteration < half { iteration } else { iteration - half };
        self.scale *= ((accept_probability - TARGET) / (1.0 + since as f64).powf(0.6)).exp();
        if iteration + 1 == half && half > quarter {
            self.metric = self.estimator.estimate()?;
            self.scale = 2.38 / (position.len().max(1) as f64).sqrt();
        }
        Ok(())
    }
}
