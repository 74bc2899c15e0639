//! Predictions: runs of a model under its prior, under draws of a posterior or under a guide, with data drawn
//! anew; and the log-likelihood of the data that there are, observation by observation.

use ppl_core::autodiff::no_grad;
use ppl_core::backend::Backend;
use ppl_core::handler::Handler;
use ppl_core::handlers::{Params, Prior, Tracer};
use ppl_core::model::{Guide, IntoArgs, Model};
use ppl_core::params::ParamStore;
use ppl_core::trace::Trace;
use ppl_core::{Dtype, Error};
use rayon::prelude::*;

use crate::draws::{Draws, DrawsError};

// The contract of where latent values come from.
mod source;
// What can go wrong, and in which draw.
mod error;
// Variables found by name.
mod places;
// Latent values out of a row of draws.
mod row;
// Latent values from the prior.
mod from_prior;
// Latent values from draws.
mod from_draws;
// Latent values from a guide.
mod from_guide;
// What is asked of each site, as a row of numbers.
mod record;
// Predictions as named arrays.
mod collected;
// The log-likelihood of each observation.
mod log_likelihood;

pub use error::PredictiveError;
pub use from_draws::FromDraws;
pub use from_guide::FromGuide;
pub use from_prior::FromPrior;
pub use log_likelihood::{PointwiseLogLikelihood, log_likelihood};
pub use source::{Extent, Place, Source};

use from_prior::DEFAULT_DRAWS;

/// Predictions of a model: for each draw the model is run with its latent sites at the draw's values and its
/// observed sites drawn anew. Deterministic sites are computed again, and interventions stay.
///
/// Each draw has a random stream of the seed of its own, so that it is the same however many are asked for, in
/// whatever order, on any number of threads. Nothing runs before [`traces`](Predictive::traces),
/// [`typed`](Predictive::typed), [`map`](Predictive::map) or [`collect`](Predictive::collect) asks for it.
///
/// A model with `factor!` is run as if it had none: what is drawn is not weighed by it.
///
/// ```
/// # use ppl_core::{Cpu, Error, Tensor, address::Address, distributions::Normal, handler::Handler};
/// # use ppl_core::model::{Model, Program};
/// # use ppl_core::primitives::{observe, sample};
/// # use ppl_core::trace::{Site, TraceReader, TypedTrace};
/// # use ppl_core::values::ValueMap;
/// use ppl_infer::Predictive;
/// use ppl_infer::draws::{ChainDraws, Draws, Role, SampleStats, layout};
///
/// type Scalar = Tensor<(), f64>;
/// # #[allow(non_camel_case_types)]
/// # struct model;
/// # struct ModelTrace { y: Site<Scalar> }
/// # impl TypedTrace for ModelTrace {
/// #     type Values = ValueMap;
/// #     fn read(reader: &TraceReader<'_>) -> Result<Self, Error> { Ok(ModelTrace { y: reader.site("y")? }) }
/// # }
/// # impl Program for model { type Base = Self; const NAME: &'static str = "model"; }
/// # impl Model<(f64,)> for model {
/// #     type E = f64; type D = Cpu; type Output = (); type Trace = ModelTrace;
/// #     fn run(&self, h: &mut dyn Handler<f64, Cpu>, (y,): (f64,)) {
/// #         let mu: Scalar = sample(h, Address::fixed("mu"), Normal::new(0.0, 1.0));
/// #         observe(h, Address::fixed("y"), Normal::new(mu, 0.1), Scalar::scalar(y));
/// #     }
/// # }
///
/// // #[model]
/// // fn model(y: f64) {
/// //     let mu = sample!("mu", Normal::new(0.0, 1.0));
/// //     sample!("y", Normal::new(mu, 0.1), obs = Scalar::scalar(y));
/// // }
///
/// // Before there are data: both sites are drawn.
/// let prior = Predictive::prior(model, (2.0,)).draws(500).seed(1).collect()?;
/// assert_eq!(prior.quantity("y")?[0].len(), 500);
///
/// // Draws of a posterior, here made by hand, come from a sampler.
/// let mut chain = ChainDraws::new(1);
/// [1.9, 2.0, 2.1].iter().for_each(|mu| chain.push(&[*mu], SampleStats::default()));
/// let draws = Draws::new(layout([("mu".to_owned(), vec![], Role::Latent)]), vec![chain]);
///
/// let predictive = Predictive::posterior(model, (2.0,), &draws).seed(1);
/// for trace in predictive.typed() {
///     assert!((trace?.y.value.item() - 2.0).abs() < 1.0);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Predictive<M, A, S, E: Dtype, D: Backend<E>> {
    model: M,
    args: A,
    source: S,
    params: ParamStore<E, D>,
    seed: u64,
    validate: bool,
    keep: Option<Vec<String>>,
}

impl<A, M, E, D> Predictive<M, A, FromPrior, E, D>
where
    A: Clone,
    M: Model<A, E = E, D = D>,
    E: Dtype,
    D: Backend<E>,
{
    /// Under the prior: everything is drawn. 1000 draws, unless [`draws`](Predictive::draws) says otherwise.
    pub fn prior(model: M, args: impl IntoArgs<Args = A>) -> Self {
        Self::new(model, args.into_args(), FromPrior { draws: DEFAULT_DRAWS }, ParamStore::new(0))
    }

    /// How many draws are made.
    #[must_use]
    pub fn draws(mut self, draws: usize) -> Self {
        self.source.draws = draws;
        self
    }
}

impl<'d, A, M, E, D> Predictive<M, A, FromDraws<'d>, E, D>
where
    A: Clone,
    M: Model<A, E = E, D = D>,
    E: Dtype,
    D: Backend<E>,
{
    /// Under draws of a posterior: one run for each draw of each chain.
    ///
    /// By default draws and model have the same latent sites with the same sizes. A site that only one of them
    /// has, and one of other sizes, is an error that names it, unless [`allow_new_sites`](Predictive::allow_new_sites),
    /// [`redraw`](Predictive::redraw) or [`ignore`](Predictive::ignore) says what to do. So for new data, the
    /// same model with other arguments, sites of elements that the draws do not know are drawn anew.
    pub fn posterior(model: M, args: impl IntoArgs<Args = A>, draws: &'d Draws) -> Self {
        Self::new(model, args.into_args(), FromDraws::new(draws), ParamStore::new(0))
    }

    /// Latent sites that the draws lack are drawn from their distributions given the others, and so are those
    /// that the draws have in plates of other sizes.
    #[must_use]
    pub fn allow_new_sites(mut self) -> Self {
        self.source.anew.new_sites = true;
        self
    }

    /// These latent sites are drawn from their distributions given the others, whether the draws have them or not.
    #[must_use]
    pub fn redraw<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.source.anew.names.extend(names.into_iter().map(Into::into));
        self
    }

    /// These variables of the draws are left out; the model need not have them.
    ///
    /// # Errors
    /// If the draws have no such variable; the error lists those that there are.
    pub fn ignore<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Result<Self, DrawsError> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        names.iter().try_for_each(|name| self.source.draws().variable(name).map(|_| ()))?;
        self.source.ignore(&names);
        Ok(self)
    }

    /// Only each `step`-th draw of each chain, from the first on. What it predicts is the same as without thinning.
    ///
    /// # Panics
    /// If `step` is 0.
    #[must_use]
    pub fn thin(mut self, step: usize) -> Self {
        assert!(step > 0, "a step from draw to draw is at least 1");
        self.source.step = step;
        self
    }
}

impl<A, M, G, E, D> Predictive<M, A, FromGuide<G>, E, D>
where
    A: Clone,
    M: Model<A, E = E, D = D>,
    G: Model<A, E = E, D = D>,
    G::Base: Guide<M::Base>,
    E: Dtype,
    D: Backend<E>,
{
    /// Under a guide with these parameters, as variational inference leaves them. 1000 draws, unless
    /// [`draws`](Predictive::draws) says otherwise.
    pub fn guide(model: M, guide: G, params: &ParamStore<E, D>, args: impl IntoArgs<Args = A>) -> Self {
        let source = FromGuide { guide, draws: DEFAULT_DRAWS, new_sites: false };
        Self::new(model, args.into_args(), source, params.clone())
    }

    /// How many draws are made.
    #[must_use]
    pub fn draws(mut self, draws: usize) -> Self {
        self.source.draws = draws;
        self
    }

    /// Latent sites that the guide lacks are drawn from their distributions given the others.
    #[must_use]
    pub fn allow_new_sites(mut self) -> Self {
        self.source.new_sites = true;
        self
    }
}

impl<A, M, S, E, D> Predictive<M, A, S, E, D>
where
    A: Clone,
    M: Model<A, E = E, D = D>,
    S: Source<A, E, D>,
    E: Dtype,
    D: Backend<E>,
{
    /// Under a source of one's own; its parameters and the model's come from a store.
    pub fn new(model: M, args: A, source: S, params: ParamStore<E, D>) -> Self {
        Predictive { model, args, source, params, seed: 0, validate: cfg!(debug_assertions), keep: None }
    }

    /// The seed of what is drawn; 0 without it.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The model's parameters; without a store they have their initial values from seed 0, as in a
    /// [`ModelDensity`](crate::ModelDensity). Those of chains of seed `s` are in `ParamStore::new(s)`.
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

    /// Which sites [`collect`](Predictive::collect) keeps, by full name.
    #[must_use]
    pub fn keep<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.keep = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// The runs in order, chain after chain, made one by one as they are asked for: what the model returns, and
    /// its trace.
    ///
    /// # Errors
    /// Of each run: a site that draws and model do not both have, or the first error of the run.
    pub fn traces(&self) -> impl Iterator<Item = Result<(M::Output, Trace<E, D>), PredictiveError>> + '_ {
        let mut params = self.params.clone();
        self.source.extent().places().map(move |place| self.trace(&mut params, place))
    }

    /// [`traces`](Predictive::traces) as the model's own struct.
    ///
    /// # Errors
    /// As there.
    pub fn typed(&self) -> impl Iterator<Item = Result<M::Trace, PredictiveError>> + '_ {
        let places = self.source.extent().places();
        self.traces().zip(places).map(|(run, place)| run?.1.typed().map_err(|error| at(place, error)))
    }

    /// What `f` makes of each run, in order; the runs are shared among the threads of rayon's pool.
    ///
    /// # Errors
    /// The first error in the order of the draws, as [`traces`](Predictive::traces).
    pub fn map<R: Send>(&self, f: impl Fn(M::Output, Trace<E, D>) -> R + Sync) -> Result<Vec<R>, PredictiveError>
    where
        Self: Sync,
    {
        self.in_parallel(|params, place| self.trace(params, place).map(|(output, trace)| f(output, trace)))
    }

    fn trace(&self, params: &mut ParamStore<E, D>, place: Place) -> Result<(M::Output, Trace<E, D>), PredictiveError> {
        self.run(&self.source, params, place, |handler| {
            let mut tracer = Tracer::new(handler);
            let output = self.model.run(&mut tracer, self.args.clone());
            (output, tracer.into_trace())
        })
    }

    /// One run by itself, with what `body` puts around the model.
    fn run<R>(
        &self,
        source: &impl Source<A, E, D>,
        params: &mut ParamStore<E, D>,
        place: Place,
        mut body: impl FnMut(&mut dyn Handler<E, D>) -> R,
    ) -> Result<R, PredictiveError> {
        let mut prior = Prior::new(place.rng(self.seed));
        Handler::<E, D>::context(&mut prior).validate = self.validate;
        let mut params = Params::new(params, &mut prior);
        let mut result = None;
        let ran = no_grad(|| source.run(place, &self.args, &mut params, &mut |handler| result = Some(body(handler))));
        // What went wrong first names the cause.
        params.context().take_error().map_or(ran, Err).map_err(|error| at(place, error))?;
        Ok(result.expect("a source runs the body once"))
    }

    /// Runs of all draws on the threads of rayon's pool, each of which has a copy of the parameters.
    fn in_parallel<R: Send>(
        &self,
        run: impl Fn(&mut ParamStore<E, D>, Place) -> Result<R, PredictiveError> + Sync,
    ) -> Result<Vec<R>, PredictiveError>
    where
        Self: Sync,
    {
        let extent = self.source.extent();
        let numbers = (0..extent.chains * extent.draws).into_par_iter();
        let runs: Vec<Result<R, PredictiveError>> =
            numbers.map_init(|| self.params.clone(), |params, number| run(params, extent.place(number))).collect();
        runs.into_iter().collect()
    }
}

fn at(place: Place, error: Error) -> PredictiveError {
    PredictiveError::Run { place, error }
}
