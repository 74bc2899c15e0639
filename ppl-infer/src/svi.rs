//! Stochastic variational inference: a model, a guide, an optimiser and an objective.

use ppl_core::autodiff::{no_grad, try_grad};
use ppl_core::backend::Backend;
use ppl_core::model::{Guide, IntoArgs, Model, Program};
use ppl_core::params::ParamStore;
use ppl_core::rng::Rng;
use ppl_core::shared::Shared;
use ppl_core::{Dtype, Error};

use crate::elbo::Objective;
use crate::optim::Optimizer;
use crate::runs::Programs;

// Many steps with a stop reason.
mod run;
// Saving and resuming.
mod resume;

pub use run::{Convergence, RunOptions, RunReport, StepInfo, StopReason};

/// Fits a guide to a model by stochastic gradient descent on an objective.
///
/// All randomness comes from [`Svi::seed`]: step `t` draws from its own stream of the seed, so a
/// resumed run and any number of threads give the same numbers.
#[derive(Clone, Debug)]
pub struct Svi<M, G, O, L, E: Dtype, D: Backend<E>> {
    model: M,
    guide: G,
    optimizer: O,
    objective: L,
    params: ParamStore<E, D>,
    seed: u64,
    step: u64,
    evaluations: u64,
    validate: bool,
}

/// How many streams of the seed a step has for its particles; further particles have other keys.
const PARTICLES: u64 = 1 << 16;

/// Where the streams of evaluations begin: a seed's streams of steps lie below.
const EVALUATION: u64 = 1 << 62;

impl<M, G, O, L, E, D> Svi<M, G, O, L, E, D>
where
    M: Program,
    G: Program,
    G::Base: Guide<M::Base>,
    O: Optimizer<E, D>,
    L: Objective<E, D>,
    E: Dtype,
    D: Backend<E>,
{
    /// Joins a model and its guide with an optimiser and an objective; seed 0.
    pub fn new(model: M, guide: G, optimizer: O, objective: L) -> Self {
        let params = ParamStore::new(0);
        let validate = cfg!(debug_assertions);
        Svi { model, guide, optimizer, objective, params, seed: 0, step: 0, evaluations: 0, validate }
    }

    /// The seed of initial values, draws and subsamples.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.params = self.params.with_seed(seed);
        self.seed = seed;
        self
    }

    /// Whether distributions' parameters are checked at every site; by default in debug builds.
    #[must_use]
    pub fn validate(mut self, validate: bool) -> Self {
        self.validate = validate;
        self
    }

    /// Starts from these parameters; initial values of others come from this run's seed.
    #[must_use]
    pub fn with_params(mut self, params: ParamStore<E, D>) -> Self {
        self.params = params.with_seed(self.seed);
        self
    }

    /// The parameters.
    pub fn params(&self) -> &ParamStore<E, D> {
        &self.params
    }

    /// The parameters, to be changed between steps: running statistics, for example.
    pub fn params_mut(&mut self) -> &mut ParamStore<E, D> {
        &mut self.params
    }

    /// The parameters, to be given to another run.
    pub fn into_params(self) -> ParamStore<E, D> {
        self.params
    }

    /// The optimiser.
    pub fn optimizer(&self) -> &O {
        &self.optimizer
    }

    /// The optimiser, to change a learning rate.
    pub fn optimizer_mut(&mut self) -> &mut O {
        &mut self.optimizer
    }

    /// The objective, to change it between steps.
    pub fn objective_mut(&mut self) -> &mut L {
        &mut self.objective
    }

    /// How many steps were taken.
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// Takes one step on these arguments (a tuple, or a reference for a single one) and returns the
    /// estimated loss before it.
    ///
    /// # Errors
    /// The first error of the runs, or the first term or gradient that is not finite, with site,
    /// parameters, element and step. The parameters are then as they were before the step, and the
    /// next step draws the same numbers. Only a gradient that is not finite leaves nothing but its
    /// own elements as they were: the others have been updated, and the step counts.
    pub fn step<A: Clone + Shared>(&mut self, args: impl IntoArgs<Args = A>) -> Result<f64, Error>
    where
        M: Model<A, E = E, D = D>,
        G: Model<A, E = E, D = D>,
    {
        let (args, at) = (args.into_args(), self.step + 1);
        let result = self.try_step(args);
        if matches!(result, Ok(_) | Err(Error::NonFiniteGradient { .. })) {
            self.step = at;
            self.evaluations = 0;
        }
        result.map_err(|error| error.at(at))
    }

    fn try_step<A: Clone + Shared>(&mut self, args: A) -> Result<f64, Error>
    where
        M: Model<A, E = E, D = D>,
        G: Model<A, E = E, D = D>,
    {
        self.params.begin_round();
        let Self { model, guide, objective, params, seed, step, validate, .. } = self;
        let first = *step * PARTICLES;
        let (_, loss, mut grads) = try_grad(|| {
            let rng = |p| particle(*seed, first, p);
            let mut runs = Programs { programs: (&*model, &*guide), args, params, rng: &rng, validate: *validate };
            let (loss, surrogate) = objective.surrogate(&mut runs)?;
            Ok::<_, Error>((surrogate, loss))
        })?;
        self.optimizer.observe(loss);
        self.optimizer.step(&mut self.params, &mut grads)?;
        Ok(loss)
    }

    /// Estimates the loss on these arguments without changing a parameter or what later steps draw.
    ///
    /// # Errors
    /// The first error of the runs, or the first term that is not finite.
    pub fn evaluate<A: Clone + Shared>(&mut self, args: impl IntoArgs<Args = A>) -> Result<f64, Error>
    where
        M: Model<A, E = E, D = D>,
        G: Model<A, E = E, D = D>,
    {
        let args = args.into_args();
        // The step goes into the seed, so that evaluations after different steps differ too.
        let (seed, first) = (self.seed ^ self.step.rotate_left(32), EVALUATION + self.evaluations * PARTICLES);
        self.evaluations += 1;
        let Self { model, guide, objective, params, validate, .. } = self;
        let rng = |p| particle(seed, first, p);
        let mut runs = Programs { programs: (&*model, &*guide), args, params, rng: &rng, validate: *validate };
        no_grad(|| objective.loss(&mut runs))
    }
}

/// The generator of a particle.
fn particle(seed: u64, first: u64, number: u64) -> Rng {
    Rng::stream(seed ^ (number / PARTICLES).rotate_left(16), first + number % PARTICLES)
}
