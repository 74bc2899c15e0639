//! The particle filter: states in time by many particles, of which the unlikely ones make room for the likely.

use ppl_core::backend::Backend;
use ppl_core::model::{Guide, Model, Program};
use ppl_core::params::ParamStore;
use ppl_core::rng::Rng;
use ppl_core::shared::Shared;
use ppl_core::{Dtype, Error};

use super::blocks::{each, weigh};
use super::error::MonteCarloError;
use super::filtered::{Filtered, Generation};
use super::resampling::Resampling;
use super::state_space::{Bootstrap, Guided, StateSpace};
use super::weighted_run::{Setting, WeightedRun};

/// A particle filter over a model unrolled in time.
///
/// The model is two ordinary ones. `init(datum) -> X` draws the state at time 0 and observes the first datum;
/// `step(&state, time, datum) -> X` draws the state at a later time, counted from 1, given the state before it, and
/// observes the datum of that time. A time without data is a datum that says so, such as `None`. Their names need not
/// differ from time to time: every step is a run of its own.
///
/// Each particle has at each time a random stream of the seed of its own: results do not depend on threads.
///
/// ```
/// # use ppl_core::{Cpu, Tensor, address::Address, distributions::Normal, handler::Handler};
/// # use ppl_core::model::{Model, Program};
/// # use ppl_core::primitives::{observe, sample};
/// # use ppl_core::trace::{TraceReader, TypedTrace};
/// # use ppl_core::values::ValueMap;
/// use ppl_infer::monte_carlo::SmcFilter;
///
/// type Scalar = Tensor<(), f64>;
/// # struct Sites;
/// # impl TypedTrace for Sites {
/// #     type Values = ValueMap;
/// #     fn read(_: &TraceReader<'_>) -> Result<Self, ppl_core::Error> { Ok(Sites) }
/// # }
/// # fn walk(h: &mut dyn Handler<f64, Cpu>, before: Scalar, sd: f64, y: f64) -> Scalar {
/// #     let x: Scalar = sample(h, Address::fixed("x"), Normal::new(before, sd));
/// #     observe(h, Address::fixed("y"), Normal::new(x.clone(), 0.5), Scalar::scalar(y));
/// #     x
/// # }
/// # #[allow(non_camel_case_types)]
/// # struct init;
/// # impl Program for init { type Base = Self; const NAME: &'static str = "init"; }
/// # impl Model<(f64,)> for init {
/// #     type E = f64; type D = Cpu; type Output = Scalar; type Trace = Sites;
/// #     fn run(&self, h: &mut dyn Handler<f64, Cpu>, (y,): (f64,)) -> Scalar { walk(h, Scalar::scalar(0.0), 1.0, y) }
/// # }
/// # #[allow(non_camel_case_types)]
/// # struct step;
/// # impl Program for step { type Base = Self; const NAME: &'static str = "step"; }
/// # impl<'x> Model<(&'x Scalar, usize, f64)> for step {
/// #     type E = f64; type D = Cpu; type Output = Scalar; type Trace = Sites;
/// #     fn run(&self, h: &mut dyn Handler<f64, Cpu>, (x, _, y): (&'x Scalar, usize, f64)) -> Scalar {
/// #         walk(h, x.clone(), 0.3, y)
/// #     }
/// # }
///
/// // #[model]
/// // fn init(y: f64) -> Scalar {
/// //     let x: Scalar = sample!("x", Normal::new(0.0, 1.0));
/// //     sample!("y", Normal::new(&x, 0.5), obs = Scalar::scalar(y));
/// //     x
/// // }
/// //
/// // #[model]
/// // fn step(before: &Scalar, time: usize, y: f64) -> Scalar {
/// //     let x: Scalar = sample!("x", Normal::new(before, 0.3));
/// //     sample!("y", Normal::new(&x, 0.5), obs = Scalar::scalar(y));
/// //     x
/// // }
///
/// let found = SmcFilter::new(init, step).particles(500).seed(1).run(&[0.4, 0.6, 0.9, 0.7])?;
/// let now = found.generations()[3].mean(|x| x.item());
/// assert!((now.mean - 0.7).abs() < 0.2);
/// # Ok::<(), ppl_infer::monte_carlo::MonteCarloError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SmcFilter<S, E: Dtype, D: Backend<E>> {
    pub(super) system: S,
    pub(super) params: ParamStore<E, D>,
    pub(super) particles: usize,
    pub(super) resampling: Resampling,
    pub(super) threshold: f64,
    pub(super) seed: u64,
    pub(super) validate: bool,
}

/// The stream of a seed that belongs to a particle at a time; the last one of a time is that of the resampling.
pub(super) fn stream(seed: u64, time: usize, particle: usize) -> Rng {
    Rng::stream(seed, ((time as u64) << 32) | particle as u64)
}

/// The number of the resampling's stream among the particles'.
const RESAMPLING: usize = u32::MAX as usize;

impl<I: Program, S: Program, E: Dtype, D: Backend<E>> SmcFilter<Bootstrap<I, S>, E, D> {
    /// A filter whose states are drawn by the model itself, with 1000 particles.
    pub fn new<X, Y>(init: I, step: S) -> Self
    where
        I: Model<(Y,), E = E, D = D, Output = X>,
        S: for<'x> Model<(&'x X, usize, Y), E = E, D = D, Output = X>,
    {
        Self::of(Bootstrap { init, step })
    }

    /// The same with states drawn by guides of the two models, which see the datum of their time.
    pub fn with_guides<X, Y, GI, GS>(self, init: GI, step: GS) -> SmcFilter<Guided<I, S, GI, GS>, E, D>
    where
        I: Model<(Y,), E = E, D = D, Output = X>,
        S: for<'x> Model<(&'x X, usize, Y), E = E, D = D, Output = X>,
        GI: Model<(Y,), E = E, D = D>,
        GS: for<'x> Model<(&'x X, usize, Y), E = E, D = D>,
        GI::Base: Guide<I::Base>,
        GS::Base: Guide<S::Base>,
    {
        let SmcFilter { system, params, particles, resampling, threshold, seed, validate } = self;
        let system = Guided { model: system, init, step };
        SmcFilter { system, params, particles, resampling, threshold, seed, validate }
    }
}

impl<S, E: Dtype, D: Backend<E>> SmcFilter<S, E, D> {
    /// A filter over a system of one's own.
    pub fn of(system: S) -> Self {
        SmcFilter {
            system,
            params: ParamStore::new(0),
            particles: 1000,
            resampling: Resampling::default(),
            threshold: 0.5,
            seed: 0,
            validate: cfg!(debug_assertions),
        }
    }

    /// How many particles there are; 1000 without it.
    #[must_use]
    pub fn particles(mut self, particles: usize) -> Self {
        self.particles = particles;
        self
    }

    /// How parents are chosen; systematically without it.
    #[must_use]
    pub fn resampling(mut self, scheme: Resampling) -> Self {
        self.resampling = scheme;
        self
    }

    /// Parents are chosen by weight where the effective sample size is below this part of the particles; ½ without it.
    /// With 0 they never are, and above 1 they are at every time.
    #[must_use]
    pub fn ess_threshold(mut self, threshold: f64) -> Self {
        self.threshold = threshold;
        self
    }

    /// The seed of what is drawn; 0 without it.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The parameters of models and guides; without a store they have their initial values from seed 0.
    #[must_use]
    pub fn with_params(mut self, params: ParamStore<E, D>) -> Self {
        self.params = params;
        self
    }

    /// Whether distributions' parameters are checked at every site; by default in debug builds.
    #[must_use]
    pub fn validate(mut self, validate: bool) -> Self {
        self.validate = validate;
        self
    }

    /// Filters the data, one datum a time.
    ///
    /// # Errors
    /// The first error of a run, with time and particle; a guide that does not fit; a time at which all weights are zero,
    /// with the site that is impossible; no data or no particles.
    pub fn run<X, Y>(&self, data: &[Y]) -> Result<Filtered<X>, MonteCarloError>
    where
        S: StateSpace<X, Y, E, D>,
        X: Shared,
        Y: Clone + Shared,
    {
        self.check(data.len())?;
        let mut generations: Vec<Generation<X>> = Vec::with_capacity(data.len());
        for (time, datum) in data.iter().enumerate() {
            let next = match generations.last() {
                None => self.generation(time, None, |_, setting| self.system.begin(datum.clone(), setting)),
                Some(before) => {
                    let (parents, resampled) = self.parents(before, time);
                    let states = &before.states;
                    let advance = |parent: usize, setting: Setting<'_, E, D>| {
                        self.system.advance(&states[parent], time, datum.clone(), setting)
                    };
                    self.generation(time, Some((before, parents, resampled)), advance)
                }
            };
            generations.push(next?);
        }
        Ok(Filtered { generations })
    }

    pub(super) fn check(&self, times: usize) -> Result<(), MonteCarloError> {
        let wrong = if times == 0 {
            "there are no data to filter"
        } else if self.particles == 0 || self.particles >= RESAMPLING {
            "the number of particles must be at least 1 and below 2^32 - 1"
        } else if self.threshold.is_nan() {
            "the threshold of the effective sample size is not a number"
        } else {
            return Ok(());
        };
        Err(MonteCarloError::Options(wrong.into()))
    }

    /// The parents of the particles at a time, and whether they were chosen by weight.
    fn parents<X>(&self, before: &Generation<X>, time: usize) -> (Vec<usize>, bool) {
        let n = self.particles;
        if before.weights.ess() < self.threshold * n as f64 {
            (before.weights.resample(self.resampling, n, &mut stream(self.seed, time, RESAMPLING)), true)
        } else {
            ((0..n).collect(), false)
        }
    }

    /// The particles of a time, out of their parents.
    fn generation<X: Shared>(
        &self,
        time: usize,
        before: Option<(&Generation<X>, Vec<usize>, bool)>,
        run: impl Fn(usize, Setting<'_, E, D>) -> Result<WeightedRun<X, E, D>, Error> + Shared,
    ) -> Result<Generation<X>, MonteCarloError> {
        let n = self.particles;
        let (seed, validate, parents) = (self.seed, self.validate, before.as_ref().map(|(_, parents, _)| parents));
        let runs = each(0..n, Some(time), &self.params, |params, particle| {
            let setting = Setting { params, rng: stream(seed, time, particle), validate, given: None };
            let run = run(parents.map_or(particle, |parents| parents[particle]), setting)?;
            let (log_weight, impossible) = (run.log_weight, run.impossible());
            Ok((run.output, log_weight, impossible))
        })?;
        let equal = -(n as f64).ln();
        let carried = |particle: usize| match &before {
            Some((before, _, false)) => before.weights.log()[particle],
            _ => equal,
        };
        let (mut states, mut log_weights, mut impossible) = (Vec::new(), Vec::new(), Vec::new());
        for (particle, (state, log_weight, why)) in runs.into_iter().enumerate() {
            states.push(state);
            log_weights.push(carried(particle) + log_weight);
            impossible.extend(why);
        }
        let weights = weigh(log_weights, impossible, Some(time))?;
        let (parents, resampled) = before.map_or((Vec::new(), false), |(_, parents, resampled)| (parents, resampled));
        Ok(Generation { states, parents, weights, resampled })
    }
}
