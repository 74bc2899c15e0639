//! Stein variational gradient descent: particles that move together until they stand for a posterior.

use ppl_core::Dtype;
use ppl_core::rng::Rng;
use thiserror::Error as ThisError;

use crate::draws::{ChainDraws, Draws, SampleStats};
use crate::optim::{Rule, Update};
use crate::target::{Explanation, InitStrategy, NoStart, Target, finite_start};

// How near two particles are.
mod kernel;
// Where the particles are drawn to.
mod direction;

pub use direction::{Coordinates, direction};
pub(crate) use kernel::median;
pub use kernel::{Bandwidth, SteinKernel};

/// Why particles cannot begin or go on.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum SvgdError<T: std::error::Error> {
    /// The target's own error.
    #[error(transparent)]
    Target(#[from] T),
    /// The target does not know the strategy.
    #[error("the target has no initial value by {strategy}; use InitStrategy::Uniform")]
    Strategy {
        /// The strategy.
        strategy: String,
    },
    /// No valid position was found.
    #[error(
        "particle {particle}: none of {tries} initial values has a finite log-density and gradient; the last:\n{explanation}"
    )]
    Start {
        /// The particle's number.
        particle: usize,
        /// How many were tried.
        tries: usize,
        /// Which site was at fault in the last.
        explanation: Explanation,
    },
    /// A particle came to where the density or its gradient is not finite.
    #[error(
        "particle {particle} at step {step}: its log-density or gradient is not finite; lower the learning rate\n{explanation}"
    )]
    NotFinite {
        /// The particle's number.
        particle: usize,
        /// The step, from 1.
        step: u64,
        /// Which site is at fault.
        explanation: Explanation,
    },
}

/// What particles are moved by.
#[derive(Clone, Debug)]
pub struct SvgdOptions {
    /// How many particles, at least one; default 100. One alone climbs to the mode.
    pub num_particles: usize,
    /// The kernel; default a Gaussian one of the median's bandwidth.
    pub kernel: SteinKernel,
    /// Whether nearness is of all coordinates together, the default, or of each on its own.
    pub coordinates: Coordinates,
    /// Where particles begin; default uniform between −2 and 2.
    pub init: InitStrategy,
    /// The seed of the initial values; nothing later is random.
    pub seed: u64,
}

impl Default for SvgdOptions {
    fn default() -> Self {
        SvgdOptions {
            num_particles: 100,
            kernel: SteinKernel::default(),
            coordinates: Coordinates::Joint,
            init: InitStrategy::default(),
            seed: 0,
        }
    }
}

/// What a step saw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SvgdStep {
    /// The number of the step, from 1.
    pub step: u64,
    /// The particles' mean log-density before it.
    pub log_density: f64,
    /// The root mean square of the direction's numbers before it; it goes to 0.
    pub direction: f64,
}

/// Particles over a target's unconstrained positions, which follow the direction in which the divergence of the
/// target from them falls fastest, within the kernel's space of functions.
///
/// Reference: Liu and Wang, *Stein Variational Gradient Descent: A General Purpose Bayesian Inference Algorithm*
/// (NIPS 2016), algorithm 1.
#[derive(Clone, Debug)]
pub struct Svgd<T, R, E> {
    target: T,
    rule: R,
    rate: f64,
    options: SvgdOptions,
    /// Particle after particle.
    positions: Vec<E>,
    slots: Vec<Vec<E>>,
    step: u64,
}

impl<T: Target<E>, R: Rule, E: Dtype> Svgd<T, R, E> {
    /// Particles at their initial values, to be moved by a rule with this learning rate.
    ///
    /// # Errors
    /// Those of the target, or no valid initial value.
    ///
    /// # Panics
    /// If there are no particles, or the learning rate is not positive and finite.
    pub fn new(target: T, rule: R, learning_rate: f64, options: SvgdOptions) -> Result<Self, SvgdError<T::Error>> {
        assert!(options.num_particles > 0, "Svgd needs at least one particle");
        assert!(learning_rate > 0.0 && learning_rate.is_finite(), "a learning rate of {learning_rate}");
        options.kernel.check();
        let (mut target, mut positions) = (target, Vec::new());
        for particle in 0..options.num_particles {
            let mut rng = Rng::stream(options.seed, particle as u64);
            positions.extend(start(&mut target, particle, &options.init, &mut rng)?);
        }
        let slots = vec![vec![E::of(0.0); positions.len()]; R::SLOTS.len()];
        Ok(Svgd { target, rule, rate: learning_rate, options, positions, slots, step: 0 })
    }

    /// The unconstrained positions, one for each particle.
    pub fn positions(&self) -> impl Iterator<Item = &[E]> {
        let dim = self.positions.len() / self.options.num_particles;
        (0..self.options.num_particles).map(move |particle| &self.positions[particle * dim..(particle + 1) * dim])
    }

    /// The mean log-density, and the direction of each particle, particle after particle.
    ///
    /// # Errors
    /// Those of the target, or a particle whose log-density or gradient is not finite.
    pub fn direction(&mut self) -> Result<(f64, Vec<f64>), SvgdError<T::Error>> {
        let (dim, count) = (self.target.dim(), self.options.num_particles);
        let (mut gradient, mut scores, mut mean) = (vec![E::of(0.0); dim], Vec::new(), 0.0);
        for particle in 0..count {
            let position = &self.positions[particle * dim..(particle + 1) * dim];
            let log_density = self.target.evaluate(position, &mut gradient)?;
            if !is_finite(log_density, &gradient) {
                let explanation = self.target.explain(position)?;
                return Err(SvgdError::NotFinite { particle, step: self.step + 1, explanation });
            }
            mean += log_density / count as f64;
            scores.extend(gradient.iter().map(|g| g.wide()));
        }
        let positions: Vec<f64> = self.positions.iter().map(|x| x.wide()).collect();
        Ok((mean, direction(self.options.kernel, self.options.coordinates, dim, &positions, &scores)))
    }

    /// Moves every particle once.
    ///
    /// # Errors
    /// As [`Svgd::direction`]; nothing has moved then.
    pub fn step(&mut self) -> Result<SvgdStep, SvgdError<T::Error>> {
        let (log_density, direction) = self.direction()?;
        self.step += 1;
        let mut gradient: Vec<E> = direction.iter().map(|&d| E::of(-d)).collect();
        let tensor = Update { value: &mut self.positions, gradient: &mut gradient, slots: &mut self.slots };
        self.rule.update(self.rate, self.step, tensor);
        let size = direction.iter().map(|d| d * d).sum::<f64>() / direction.len().max(1) as f64;
        Ok(SvgdStep { step: self.step, log_density, direction: size.sqrt() })
    }

    /// Moves every particle so many times; what each step saw.
    ///
    /// # Errors
    /// As [`Svgd::step`].
    pub fn run(&mut self, steps: u64) -> Result<Vec<SvgdStep>, SvgdError<T::Error>> {
        (0..steps).map(|_| self.step()).collect()
    }

    /// The particles by the names of the target's variables, constrained: one chain with a draw for each.
    ///
    /// # Errors
    /// Those of the target.
    pub fn draws(&mut self) -> Result<Draws, SvgdError<T::Error>> {
        let variables = self.target.variables()?;
        let dim = self.target.dim();
        let mut chain = ChainDraws::new(variables.last().map_or(0, |last| last.range.end));
        let (mut row, mut gradient) = (Vec::new(), vec![E::of(0.0); dim]);
        for particle in 0..self.options.num_particles {
            let position = &self.positions[particle * dim..(particle + 1) * dim];
            row.clear();
            self.target.values(position, &mut row)?;
            let log_density = self.target.evaluate(position, &mut gradient)?;
            chain.push(&row, SampleStats { log_density, evaluations: 1, ..SampleStats::default() });
        }
        Ok(Draws::new(variables, vec![chain]))
    }
}

fn is_finite<E: Dtype>(log_density: f64, gradient: &[E]) -> bool {
    log_density.is_finite() && gradient.iter().all(|g| g.wide().is_finite())
}

/// A position whose log-density and gradient are finite.
fn start<T: Target<E>, E: Dtype>(
    target: &mut T,
    particle: usize,
    init: &InitStrategy,
    rng: &mut Rng,
) -> Result<Vec<E>, SvgdError<T::Error>> {
    match finite_start(target, init, rng) {
        Ok(start) => Ok(start.position),
        Err(NoStart::Target(error)) => Err(SvgdError::Target(error)),
        Err(NoStart::Strategy(strategy)) => Err(SvgdError::Strategy { strategy }),
        Err(NoStart::NotFinite { attempts: tries, last: explanation }) => {
            Err(SvgdError::Start { particle, tries, explanation })
        }
    }
}
