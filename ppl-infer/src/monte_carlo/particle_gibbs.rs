//! Particle Gibbs: a Markov chain over whole trajectories of states, each step of which is a particle filter that one
//! particle of goes where the trajectory went.
//!
//! Andrieu, Doucet and Holenstein, *Particle Markov chain Monte Carlo methods* (2010); Lindsten, Jordan and Schön,
//! *Particle Gibbs with Ancestor Sampling* (2014).

use ppl_core::backend::Backend;
use ppl_core::handlers::Substitute;
use ppl_core::rng::Rng;
use ppl_core::shared::Shared;
use ppl_core::{Dtype, Error};
use rand::RngCore;

use super::blocks::{each, weigh};
use super::error::MonteCarloError;
use super::resampling::Resampling;
use super::smc_filter::{SmcFilter, stream};
use super::state_space::StateSpace;
use super::weighted_run::{Setting, WeightedRun};
use super::weights::Weights;

/// Where the kept trajectory's past comes from, at each time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ancestry {
    /// It is its own. Early states change rarely where there are many times.
    Kept,
    /// One of all particles is chosen, by its weight and the density of the whole rest of the trajectory after it: the
    /// runs are as many as particles times the square of times. The default.
    #[default]
    All,
    /// The same, by the density of so many times of the rest. 1 is exact where a state is what its step draws; where it is
    /// made of draws and the state before, fewer than all are an approximation.
    Ahead(usize),
}

/// Particle Gibbs over a model unrolled in time: each step draws a trajectory of states given all data, from a kernel that
/// leaves their posterior invariant, with however few particles (two at least).
///
/// Models, guides, particles, seed and parameters are the filter's. Parents are chosen at every time, at random points.
#[derive(Clone, Debug)]
pub struct ParticleGibbs<'f, S, Y, E: Dtype, D: Backend<E>> {
    filter: &'f SmcFilter<S, E, D>,
    data: &'f [Y],
    ancestry: Ancestry,
}

/// The states of all times.
#[derive(Clone, Debug)]
pub struct Trajectory<X> {
    states: Vec<X>,
    choices: Vec<Substitute>,
}

impl<X> Trajectory<X> {
    /// The states, from time 0 on.
    pub fn states(&self) -> &[X] {
        &self.states
    }
}

/// A particle of a conditional filter.
struct Particle<X> {
    state: X,
    choices: Substitute,
    parent: usize,
}

impl<'f, S, Y, E, D> ParticleGibbs<'f, S, Y, E, D>
where
    Y: Clone + Shared,
    E: Dtype,
    D: Backend<E>,
{
    /// Trajectories given data.
    pub fn new(filter: &'f SmcFilter<S, E, D>, data: &'f [Y]) -> Self {
        ParticleGibbs { filter, data, ancestry: Ancestry::default() }
    }

    /// Where the kept trajectory's past comes from.
    #[must_use]
    pub fn ancestry(mut self, ancestry: Ancestry) -> Self {
        self.ancestry = ancestry;
        self
    }

    /// So many trajectories, one a step, the first from a filter without condition.
    ///
    /// # Errors
    /// As [`step`](ParticleGibbs::step).
    pub fn run<X>(&self, steps: usize) -> Result<Vec<Trajectory<X>>, MonteCarloError>
    where
        S: StateSpace<X, Y, E, D>,
        X: Clone + Shared,
    {
        let mut all: Vec<Trajectory<X>> = Vec::with_capacity(steps);
        for number in 0..steps {
            let next = self.step(all.last(), number as u64)?;
            all.push(next);
        }
        Ok(all)
    }

    /// The step of that number from a trajectory, or from none: a filter without condition.
    ///
    /// # Errors
    /// Those of a filter; a guide with auxiliary variables, which are no part of a trajectory.
    pub fn step<X>(&self, kept: Option<&Trajectory<X>>, number: u64) -> Result<Trajectory<X>, MonteCarloError>
    where
        S: StateSpace<X, Y, E, D>,
        X: Clone + Shared,
    {
        self.filter.check(self.data.len())?;
        if kept.is_some() && self.filter.particles < 2 {
            return Err(MonteCarloError::Options("particle Gibbs needs two particles at least".into()));
        }
        if let Some(kept) = kept.filter(|kept| kept.states.len() != self.data.len()) {
            let (times, data) = (kept.states.len(), self.data.len());
            return Err(MonteCarloError::Options(format!("a trajectory of {times} times was given to {data} data")));
        }
        let seed = Rng::stream(self.filter.seed, number).next_u64();
        let mut generations: Vec<Vec<Particle<X>>> = Vec::with_capacity(self.data.len());
        let mut weights = Weights::equal(self.filter.particles);
        for time in 0..self.data.len() {
            let parents = self.parents(generations.last().map(Vec::as_slice), &weights, kept, (time, seed))?;
            let (particles, next) =
                self.generation(generations.last().map(Vec::as_slice), &parents, kept, (time, seed))?;
            generations.push(particles);
            weights = next;
        }
        let mut rng = stream(seed, self.data.len(), 0);
        let chosen = weights.resample(Resampling::Multinomial, 1, &mut rng)[0];
        Ok(trajectory(&generations, chosen))
    }

    /// The parents of the particles at a time; that of the kept one is the last.
    fn parents<X>(
        &self,
        before: Option<&[Particle<X>]>,
        weights: &Weights,
        kept: Option<&Trajectory<X>>,
        (time, seed): (usize, u64),
    ) -> Result<Vec<usize>, MonteCarloError>
    where
        S: StateSpace<X, Y, E, D>,
        X: Clone + Shared,
    {
        let n = self.filter.particles;
        let Some(before) = before else { return Ok((0..n).collect()) };
        let mut rng = stream(seed, time, n);
        let chosen = if kept.is_some() { n - 1 } else { n };
        let mut parents = weights.resample(Resampling::Multinomial, chosen, &mut rng);
        let Some(kept) = kept else { return Ok(parents) };
        parents.push(self.past(before, weights, kept, (time, seed))?);
        Ok(parents)
    }

    /// The past of the kept trajectory from a time on.
    fn past<X>(
        &self,
        before: &[Particle<X>],
        weights: &Weights,
        kept: &Trajectory<X>,
        (time, seed): (usize, u64),
    ) -> Result<usize, MonteCarloError>
    where
        S: StateSpace<X, Y, E, D>,
        X: Clone + Shared,
    {
        let n = self.filter.particles;
        let ahead = match self.ancestry {
            Ancestry::Kept => return Ok(n - 1),
            Ancestry::All => usize::MAX,
            Ancestry::Ahead(times) => times,
        };
        let end = self.data.len().min(time.saturating_add(ahead.max(1)));
        let (filter, data) = (self.filter, self.data);
        let terms = each(0..n, Some(time), &filter.params, |params, particle| {
            let (mut state, mut total) = (before[particle].state.clone(), weights.log()[particle]);
            for (time, choices) in (time..end).zip(&kept.choices[time..end]) {
                // What has no weight need not be looked at.
                if total == f64::NEG_INFINITY {
                    break;
                }
                let rng = stream(seed, time, n + 1 + particle);
                let setting = Setting { params: &mut *params, rng, validate: filter.validate, given: Some(choices) };
                let run = filter.system.advance(&state, time, data[time].clone(), setting)?;
                total += log_joint(&run, choices)?;
                state = run.output;
            }
            Ok(total)
        })?;
        let weights = weigh(terms, [], Some(time))?;
        Ok(weights.resample(Resampling::Multinomial, 1, &mut stream(seed, time, 2 * n + 1))[0])
    }

    fn generation<X>(
        &self,
        before: Option<&[Particle<X>]>,
        parents: &[usize],
        kept: Option<&Trajectory<X>>,
        (time, seed): (usize, u64),
    ) -> Result<(Vec<Particle<X>>, Weights), MonteCarloError>
    where
        S: StateSpace<X, Y, E, D>,
        X: Clone + Shared,
    {
        let (n, filter, datum) = (self.filter.particles, self.filter, &self.data[time]);
        let runs = each(0..n, Some(time), &filter.params, |params, particle| {
            let given = kept.filter(|_| particle == n - 1).map(|kept| &kept.choices[time]);
            let rng = stream(seed, time, particle);
            let setting = Setting { params, rng, validate: filter.validate, given };
            let run = match before {
                None => filter.system.begin(datum.clone(), setting)?,
                Some(before) => {
                    filter.system.advance(&before[parents[particle]].state, time, datum.clone(), setting)?
                }
            };
            let (log_weight, impossible, choices) = (run.log_weight, run.impossible(), Substitute(run.trace.latents()));
            let parent = parents[particle];
            Ok((Particle { state: run.output, choices, parent }, log_weight, impossible))
        })?;
        let (mut particles, mut log_weights, mut impossible) = (Vec::new(), Vec::new(), Vec::new());
        for (particle, log_weight, why) in runs {
            particles.push(particle);
            log_weights.push(log_weight);
            impossible.extend(why);
        }
        Ok((particles, weigh(log_weights, impossible, Some(time))?))
    }
}

/// The log joint density of a run at the kept choices: −∞ where it asks for others.
///
/// # Errors
/// If it is NaN.
fn log_joint<X, E: Dtype, D: Backend<E>>(run: &WeightedRun<X, E, D>, choices: &Substitute) -> Result<f64, Error> {
    let asked = || run.trace.sites().filter(|site| site.is_latent());
    let kept = choices.0.names().count();
    if asked().count() != kept || asked().any(|site| choices.0.get(site.address.as_str()).is_none()) {
        return Ok(f64::NEG_INFINITY);
    }
    match (run.log_joint(), run.trace.problem()) {
        (joint, Some(problem)) if joint.is_nan() => Err(problem.clone()),
        (joint, _) => Ok(joint),
    }
}

/// The states that led to a particle of the last time, and its own.
fn trajectory<X: Clone>(generations: &[Vec<Particle<X>>], chosen: usize) -> Trajectory<X> {
    let (mut states, mut choices, mut at) = (Vec::new(), Vec::new(), chosen);
    for generation in generations.iter().rev() {
        let particle = &generation[at];
        states.push(particle.state.clone());
        choices.push(particle.choices.clone());
        at = particle.parent;
    }
    states.reverse();
    choices.reverse();
    Trajectory { states, choices }
}
