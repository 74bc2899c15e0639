//! Importance sampling: draws of the prior or a guide, weighed by what the model says of them.

use ppl_core::backend::Backend;
use ppl_core::model::{Guide, IntoArgs, Model};
use ppl_core::params::ParamStore;
use ppl_core::rng::Rng;
use ppl_core::shared::Shared;
use ppl_core::trace::Trace;
use ppl_core::{Dtype, Error};

use super::blocks::{each, weigh};
use super::error::MonteCarloError;
use super::weighted_run::{Setting, WeightedRun};
use super::weighted_traces::WeightedTraces;

/// Where the latent values of a model `M` with arguments `A` come from.
pub trait Proposal<A, M: Model<A>>: Shared {
    /// One run and its weight.
    ///
    /// # Errors
    /// Those of the run, and of a proposal that does not fit the model.
    fn run(
        &self,
        model: &M,
        args: A,
        setting: Setting<'_, M::E, M::D>,
    ) -> Result<WeightedRun<M::Output, M::E, M::D>, Error>;
}

/// The prior proposes.
#[derive(Clone, Copy, Debug, Default)]
pub struct FromPrior;

/// A guide proposes.
#[derive(Clone, Copy, Debug)]
pub struct FromGuide<G>(pub G);

impl<A, M: Model<A>> Proposal<A, M> for FromPrior {
    fn run(
        &self,
        model: &M,
        args: A,
        setting: Setting<'_, M::E, M::D>,
    ) -> Result<WeightedRun<M::Output, M::E, M::D>, Error> {
        WeightedRun::from_prior(model, args, setting)
    }
}

impl<A: Clone, M: Model<A>, G: Model<A, E = M::E, D = M::D>> Proposal<A, M> for FromGuide<G> {
    fn run(
        &self,
        model: &M,
        args: A,
        setting: Setting<'_, M::E, M::D>,
    ) -> Result<WeightedRun<M::Output, M::E, M::D>, Error> {
        WeightedRun::from_guide(model, &self.0, args, setting)
    }
}

/// Importance sampling of a model with data: [`WeightedTraces`] out of independent draws.
///
/// Each draw has a random stream of the seed of its own, so that it is the same however many there are, on any number of
/// threads.
///
/// ```
/// # use ppl_core::{Cpu, Error, Tensor, address::Address, distributions::Normal, handler::Handler};
/// # use ppl_core::model::{Model, Program};
/// # use ppl_core::primitives::{observe, sample};
/// # use ppl_core::trace::{Site, TraceReader, TypedTrace};
/// # use ppl_core::values::ValueMap;
/// use ppl_infer::monte_carlo::Importance;
///
/// type Scalar = Tensor<(), f64>;
/// # #[allow(non_camel_case_types)]
/// # struct model;
/// # struct ModelTrace { mu: Site<Scalar> }
/// # impl TypedTrace for ModelTrace {
/// #     type Values = ValueMap;
/// #     fn read(reader: &TraceReader<'_>) -> Result<Self, Error> { Ok(ModelTrace { mu: reader.site("mu")? }) }
/// # }
/// # impl Program for model { type Base = Self; const NAME: &'static str = "model"; }
/// # impl Model<(f64,)> for model {
/// #     type E = f64; type D = Cpu; type Output = (); type Trace = ModelTrace;
/// #     fn run(&self, h: &mut dyn Handler<f64, Cpu>, (y,): (f64,)) {
/// #         let mu: Scalar = sample(h, Address::fixed("mu"), Normal::new(0.0, 1.0));
/// #         observe(h, Address::fixed("y"), Normal::new(mu, 1.0), Scalar::scalar(y));
/// #     }
/// # }
/// // #[model]
/// // fn model(y: f64) {
/// //     let mu: Scalar = sample!("mu", Normal::new(0.0, 1.0));
/// //     sample!("y", Normal::new(mu, 1.0), obs = Scalar::scalar(y));
/// // }
/// let found = Importance::prior(model, (2.0,)).draws(4000).seed(1).run()?;
/// let mean = found.expectation(|trace| trace.mu.value.item());
/// assert!((mean.mean - 1.0).abs() < 5.0 * mean.standard_error);
/// // The data are normal with variance 2.
/// let exact = -1.0 - 0.5 * (4.0 * std::f64::consts::PI).ln();
/// let evidence = found.log_evidence();
/// assert!((evidence.mean - exact).abs() < 5.0 * evidence.standard_error && found.k_hat() < 0.7);
/// # Ok::<(), ppl_infer::monte_carlo::MonteCarloError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Importance<M, P, A, E: Dtype, D: Backend<E>> {
    model: M,
    proposal: P,
    args: A,
    params: ParamStore<E, D>,
    draws: usize,
    seed: u64,
    validate: bool,
}

impl<M, A, E, D> Importance<M, FromPrior, A, E, D>
where
    M: Model<A, E = E, D = D>,
    E: Dtype,
    D: Backend<E>,
{
    /// The prior proposes: the weight of a draw is its likelihood.
    pub fn prior(model: M, args: impl IntoArgs<Args = A>) -> Self {
        Self::new(model, FromPrior, args, ParamStore::new(0))
    }
}

impl<M, G, A, E, D> Importance<M, FromGuide<G>, A, E, D>
where
    A: Clone,
    M: Model<A, E = E, D = D>,
    G: Model<A, E = E, D = D>,
    G::Base: Guide<M::Base>,
    E: Dtype,
    D: Backend<E>,
{
    /// A guide proposes, with these parameters, as variational inference leaves them.
    pub fn guide(model: M, guide: G, params: &ParamStore<E, D>, args: impl IntoArgs<Args = A>) -> Self {
        Self::new(model, FromGuide(guide), args, params.clone())
    }
}

impl<M, P, A, E, D> Importance<M, P, A, E, D>
where
    M: Model<A, E = E, D = D>,
    P: Proposal<A, M>,
    E: Dtype,
    D: Backend<E>,
{
    /// A proposal of one's own; its parameters and the model's come from a store. 1000 draws of seed 0.
    pub fn new(model: M, proposal: P, args: impl IntoArgs<Args = A>, params: ParamStore<E, D>) -> Self {
        let (args, validate) = (args.into_args(), cfg!(debug_assertions));
        Importance { model, proposal, args, params, draws: 1000, seed: 0, validate }
    }

    /// How many draws are made; 1000 without it.
    #[must_use]
    pub fn draws(mut self, draws: usize) -> Self {
        self.draws = draws;
        self
    }

    /// The seed of what is drawn; 0 without it.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The parameters of model and proposal; without a store they have their initial values from seed 0.
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

    /// Makes the draws: typed traces with weights.
    ///
    /// # Errors
    /// The first error of a run; a guide that does not fit the model; weights all of which are zero, with the site that is
    /// impossible; a log-density that is NaN or ∞.
    pub fn run(&self) -> Result<WeightedTraces<M::Trace>, MonteCarloError>
    where
        A: Clone + Shared,
        M::Trace: Shared,
    {
        self.weighed(|_, trace| trace.typed())
    }

    /// [`run`](Importance::run) that keeps what `keep` makes of what the model returned and its trace.
    ///
    /// # Errors
    /// As there.
    pub fn map<R: Shared>(
        &self,
        keep: impl Fn(M::Output, Trace<E, D>) -> R + Shared,
    ) -> Result<WeightedTraces<R>, MonteCarloError>
    where
        A: Clone + Shared,
    {
        self.weighed(|output, trace| Ok(keep(output, trace)))
    }

    fn weighed<R: Shared>(
        &self,
        keep: impl Fn(M::Output, Trace<E, D>) -> Result<R, Error> + Shared,
    ) -> Result<WeightedTraces<R>, MonteCarloError>
    where
        A: Clone + Shared,
    {
        let (model, proposal, args, seed, validate) =
            (&self.model, &self.proposal, &self.args, self.seed, self.validate);
        let runs = each(0..self.draws, None, &self.params, |params, draw| {
            let setting = Setting { params, rng: Rng::stream(seed, draw as u64), validate, given: None };
            let run = proposal.run(model, args.clone(), setting)?;
            let (log_weight, impossible) = (run.log_weight, run.impossible());
            Ok((keep(run.output, run.trace)?, log_weight, impossible))
        })?;
        let (mut kept, mut log_weights, mut impossible) = (Vec::new(), Vec::new(), Vec::new());
        for (trace, log_weight, why) in runs {
            kept.push(trace);
            log_weights.push(log_weight);
            impossible.extend(why);
        }
        Ok(WeightedTraces::new(kept, weigh(log_weights, impossible, None)?))
    }
}
