//! Sequential Monte Carlo over temperatures: particles go from the prior to the posterior, the data counting more and more.
//!
//! Del Moral, Doucet and Jasra, *Sequential Monte Carlo samplers* (2006); temperatures by the effective sample size:
//! Jasra, Stephens, Doucet and Tsagaris, *Inference for Lévy-Driven Stochastic Volatility Models* (2011).

use ppl_core::backend::Backend;
use ppl_core::model::{IntoArgs, Model, With};
use ppl_core::params::ParamStore;
use ppl_core::shared::{Shared, spread};
use ppl_core::{Dtype, Error};

use super::annealed::{Anneal, log_likelihood};
use super::blocks::weigh;
use super::error::MonteCarloError;
use super::moves::{Moves, Tuned};
use super::resampling::Resampling;
use super::smc_filter::stream;
use super::weighted_run::Impossible;
use super::weights::Weights;
use crate::draws::{ChainDraws, Draws, SampleStats};
use crate::model_density::ModelDensity;
use crate::target::{InitStrategy, Target};

/// The options of [`Tempered`].
#[derive(Clone, Debug, PartialEq)]
pub struct TemperedOptions {
    /// How many particles there are; default 500.
    pub particles: usize,
    /// The next temperature is the one at which the weights are worth this part of the particles; in (0, 1), default ½.
    pub ess: f64,
    /// How particles move at each temperature; default five steps of Hamiltonian Monte Carlo.
    pub moves: Moves,
    /// How particles are chosen by their weights; default systematically.
    pub resampling: Resampling,
    /// The seed of all that is random; default 0.
    pub seed: u64,
}

impl Default for TemperedOptions {
    fn default() -> Self {
        let (moves, resampling) = (Moves::default(), Resampling::default());
        TemperedOptions { particles: 500, ess: 0.5, moves, resampling, seed: 0 }
    }
}

/// A model with data, sampled by particles that go from its prior to its posterior: data and factors count under a power
/// that rises from 0 to 1. What several modes weigh, which chains cannot tell, shows in how many particles there are.
///
/// All latent sites must be continuous, as for [`ModelDensity`], and their densities those that they are drawn from.
#[derive(Clone, Debug)]
pub struct Tempered<M, A, E: Dtype, D: Backend<E>> {
    model: M,
    args: A,
    params: ParamStore<E, D>,
    options: TemperedOptions,
}

/// One temperature.
#[derive(Clone, Debug, PartialEq)]
pub struct Temperature {
    /// The power under which data count.
    pub power: f64,
    /// What the particles of the temperature before are worth at this one.
    pub ess: f64,
    /// ln of the mean of the weights: what this temperature adds to the log-evidence.
    pub log_evidence: f64,
    /// The mean probability that a move was accepted.
    pub acceptance: f64,
    /// The step size of the moves.
    pub step_size: f64,
}

/// Particles of a posterior, of equal weight, and what they say of the evidence.
#[derive(Clone, Debug)]
pub struct TemperedDraws<E> {
    positions: Vec<Vec<E>>,
    temperatures: Vec<Temperature>,
    draws: Draws,
}

impl<E: Dtype> TemperedDraws<E> {
    /// The unconstrained numbers of each particle, in the order of [`ModelDensity::sites`].
    pub fn positions(&self) -> &[Vec<E>] {
        &self.positions
    }

    /// The temperatures, the last of which is 1.
    pub fn temperatures(&self) -> &[Temperature] {
        &self.temperatures
    }

    /// The log-evidence. With temperatures that are found on the way it has a bias of the order 1 / particles; how far off
    /// it is, other seeds tell.
    pub fn log_evidence(&self) -> f64 {
        self.temperatures.iter().map(|temperature| temperature.log_evidence).sum()
    }

    /// The particles as draws of one chain: constrained values by name. They are not independent, since several may come
    /// from one, but there is no order among them.
    pub fn draws(&self) -> &Draws {
        &self.draws
    }
}

/// Temperatures of which each adds so little that the particles tell nothing.
const MOST_TEMPERATURES: usize = 1000;

/// How many particles move together on a thread.
const BLOCK: usize = 16;

type Density<M, A, E, D> = ModelDensity<With<M, Anneal>, A, E, D>;

/// A particle: where it is, and what the data say there.
type Particle<E> = (Vec<E>, f64);

impl<M, A, E, D> Tempered<M, A, E, D>
where
    A: Clone + Shared,
    M: Model<A, E = E, D = D> + Clone,
    E: Dtype,
    D: Backend<E>,
{
    /// A model with these arguments.
    pub fn new(model: M, args: impl IntoArgs<Args = A>, options: TemperedOptions) -> Self {
        Tempered { model, args: args.into_args(), params: ParamStore::new(0), options }
    }

    /// The model's parameters; without a store they have their initial values from seed 0.
    #[must_use]
    pub fn with_params(mut self, params: ParamStore<E, D>) -> Self {
        self.params = params;
        self
    }

    /// Moves the particles from the prior to the posterior.
    ///
    /// # Errors
    /// A site that cannot stand in a vector, or whose density is not the one that it is drawn from; the first error of a
    /// run; a prior under which the data are impossible, with the site; options that mean nothing.
    pub fn run(&self) -> Result<TemperedDraws<E>, MonteCarloError> {
        let options = &self.options;
        self.check()?;
        let mut density = self.density(1.0)?;
        let (mut particles, impossible) = self.begin(&density)?;
        let (mut power, mut temperatures) = (0.0, Vec::new());
        let mut tuned = Tuned::new(options.moves);
        while power < 1.0 {
            let time = temperatures.len() + 1;
            let likelihoods: Vec<f64> = particles.iter().map(|(_, log_likelihood)| *log_likelihood).collect();
            let next = next_power(&likelihoods, power, options.ess);
            let log_weights = likelihoods.iter().map(|log| scaled(next - power, *log)).collect();
            let weights = weigh(log_weights, impossible.iter().cloned(), None)?;
            if time > MOST_TEMPERATURES || next <= power {
                let problem =
                    format!("data count under a power of {power} after {time} temperatures, and it does not rise");
                return Err(MonteCarloError::Options(problem));
            }
            power = next;
            density = self.density(power)?;
            tuned.fit(&mut density, &particles, &weights, &mut stream(options.seed, time, options.particles))?;
            let mut rng = stream(options.seed, time, options.particles + 1);
            let chosen = weights.resample(options.resampling, options.particles, &mut rng);
            let (moved, acceptance) = self.moved(&density, &particles, &chosen, &tuned, (time, power))?;
            particles = moved;
            let (ess, log_evidence) = (weights.ess(), weights.log_mean().mean);
            temperatures.push(Temperature { power, ess, log_evidence, acceptance, step_size: tuned.step_size() });
            tuned.accepted(acceptance);
        }
        let positions: Vec<Vec<E>> = particles.into_iter().map(|(position, _)| position).collect();
        let draws = draws(&mut density, &positions)?;
        Ok(TemperedDraws { positions, temperatures, draws })
    }

    fn check(&self) -> Result<(), MonteCarloError> {
        let options = &self.options;
        let wrong = if options.particles < 2 || options.particles > (u32::MAX - 2) as usize {
            "the number of particles must be at least 2 and below 2^32 - 2"
        } else if !(options.ess > 0.0 && options.ess < 1.0) {
            "the part of the particles that weights are worth must lie between 0 and 1"
        } else {
            return Ok(());
        };
        Err(MonteCarloError::Options(wrong.into()))
    }

    fn density(&self, power: f64) -> Result<Density<M, A, E, D>, MonteCarloError> {
        ModelDensity::of(self.model.clone().with(Anneal(power)), self.args.clone(), self.params.clone())
            .map_err(|error| at(0, error))
    }

    /// Particles of the prior, and why some of them are impossible.
    fn begin(&self, density: &Density<M, A, E, D>) -> Result<(Vec<Particle<E>>, Vec<Impossible>), MonteCarloError> {
        let one = |density: &mut Density<M, A, E, D>, draw: usize| {
            let rng = &mut stream(self.options.seed, 0, draw);
            let position = density.candidate(&InitStrategy::Prior, rng)?.unwrap_or_default();
            let trace = density.trace(&position)?;
            let log_likelihood = log_likelihood(&trace, 1.0)?;
            let is_zero = log_likelihood == f64::NEG_INFINITY;
            let site = trace.sites().filter(|_| is_zero).find(|site| site.problem.is_some() && !site.is_latent());
            let impossible =
                site.and_then(|site| Some(Impossible { site: site.address.to_string(), why: site.problem.clone()? }));
            Ok(((position, log_likelihood), impossible))
        };
        let begun = self.each(density, one)?;
        let (particles, impossible): (Vec<_>, Vec<_>) = begun.into_iter().unzip();
        Ok((particles, impossible.into_iter().flatten().collect()))
    }

    /// The chosen particles, moved, and how often moves were accepted.
    fn moved(
        &self,
        density: &Density<M, A, E, D>,
        particles: &[Particle<E>],
        chosen: &[usize],
        tuned: &Tuned<E>,
        (time, power): (usize, f64),
    ) -> Result<(Vec<Particle<E>>, f64), MonteCarloError> {
        let one = |density: &mut Density<M, A, E, D>, draw: usize| {
            let rng = &mut stream(self.options.seed, time, draw);
            let (position, acceptance) = tuned.moved(density, &particles[chosen[draw]].0, rng)?;
            let log_likelihood = log_likelihood(&density.trace(&position)?, power)?;
            Ok(((position, log_likelihood), acceptance))
        };
        let moved = self.each(density, one)?;
        let acceptance = moved.iter().map(|(_, acceptance)| acceptance).sum::<f64>() / moved.len() as f64;
        Ok((moved.into_iter().map(|(particle, _)| particle).collect(), acceptance))
    }

    /// What `run` makes of each particle's number, over threads with a copy of the density each.
    fn each<R: Shared>(
        &self,
        density: &Density<M, A, E, D>,
        run: impl Fn(&mut Density<M, A, E, D>, usize) -> Result<R, Error> + Shared,
    ) -> Result<Vec<R>, MonteCarloError> {
        let n = self.options.particles;
        let blocks: Vec<_> =
            (0..n).step_by(BLOCK).map(|first| (density.clone(), first..(first + BLOCK).min(n))).collect();
        let done = spread(blocks, |(mut density, block)| {
            let one = |draw| run(&mut density, draw).map_err(|error| at(draw, error));
            block.map(one).collect::<Result<Vec<R>, MonteCarloError>>()
        });
        let mut all = Vec::with_capacity(n);
        for block in done {
            all.extend(block?);
        }
        Ok(all)
    }
}

fn at(draw: usize, error: Error) -> MonteCarloError {
    MonteCarloError::Run { draw, time: None, error }
}

/// What a power adds to a log-density; −∞ stays what it is.
fn scaled(power: f64, log_likelihood: f64) -> f64 {
    if log_likelihood == f64::NEG_INFINITY { log_likelihood } else { power * log_likelihood }
}

/// The greatest power up to 1 at which weights are worth that part of the possible particles.
fn next_power(log_likelihoods: &[f64], power: f64, part: f64) -> f64 {
    let possible: Vec<f64> = log_likelihoods.iter().copied().filter(|log| log.is_finite()).collect();
    let wanted = part * possible.len() as f64;
    let enough = |next: f64| {
        let weights = Weights::new(possible.iter().map(|log| (next - power) * log).collect());
        weights.is_none_or(|weights| weights.ess() >= wanted)
    };
    if enough(1.0) {
        return 1.0;
    }
    let (mut low, mut high) = (power, 1.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if enough(middle) { low = middle } else { high = middle }
    }
    low
}

fn draws<E: Dtype, T: Target<E, Error = Error>>(
    density: &mut T,
    positions: &[Vec<E>],
) -> Result<Draws, MonteCarloError> {
    let variables = density.variables().map_err(|error| at(0, error))?;
    let mut chain = ChainDraws::new(variables.last().map_or(0, |last| last.range.end));
    let mut row = Vec::new();
    for (draw, position) in positions.iter().enumerate() {
        row.clear();
        density.values(position, &mut row).map_err(|error| at(draw, error))?;
        chain.push(&row, SampleStats::default());
    }
    Ok(Draws::new(variables, vec![chain]))
}
