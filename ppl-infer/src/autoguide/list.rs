//! Guides of several blocks of sites, each with a family of its own or written by hand.

use std::sync::Arc;

use ppl_core::autodiff::no_grad;
use ppl_core::backend::Backend;
use ppl_core::handler::Handler;
use ppl_core::handlers::{Params, Prior};
use ppl_core::model::{IntoArgs, Model, Program};
use ppl_core::params::ParamStore;
use ppl_core::rng::Rng;
use ppl_core::shared::Shared;
use ppl_core::values::{AnyValue, ValueMap};
use ppl_core::{Dtype, Error};

use crate::gibbs::latent::{FindLatents, Latent};
use crate::model_density::{LatentSite, ModelDensity};
use crate::target::{InitStrategy, finite_start};

use super::blocks::{Blocks, Plan};
use super::callable::Written;
use super::discrete::DiscreteParallel;
use super::family::Layout;
use super::{AutoDiscreteParallel, GuideOf, Named, Untyped, no_start};

// The run of a model whose latent sites take their values from the blocks.
mod run;
// What a fitted guide says, in the model's types.
mod results;

/// A guide of blocks of latent sites, each with a family of its own: one of those of an [`AutoGuide`](super::AutoGuide) over the
/// unconstrained numbers of its sites, [`DiscreteParallel`] over discrete sites, or a part that is written by hand
/// ([`AutoCallable`](super::AutoCallable)). Blocks are independent of one another.
///
/// In a run the families draw first, then the parts written by hand run, in order, and then the model's body for the
/// values; observations and factors of the model are not shown. Parameters of a block have its prefix
/// ([`Blocks::block`]); those of parts written by hand have the names that they were given.
///
/// The sites of families must be the same in every run; plates around continuous ones may have some of their rows, as in an
/// [`AutoGuide`](super::AutoGuide), those around discrete ones must have all. Parts written by hand may have other sites in each run, so far as the names of their blocks fit.
///
/// Reference: Pyro's `AutoGuideList`.
#[derive(Clone, Debug)]
pub struct AutoGuideList<M, E: Dtype, D: Backend<E>, W = ()> {
    model: M,
    plan: Arc<Plan<E, D>>,
    written: W,
}

/// How many draws of the sites that no family guides are tried for a start of the others.
const ATTEMPTS: u64 = 10;

impl<M, E: Dtype, D: Backend<E>, W> AutoGuideList<M, E, D, W> {
    /// The guide of these blocks, for the model with these arguments, beginning at seed 0 with [`InitStrategy::default`].
    ///
    /// # Errors
    /// A name without a site; a site in no block, or in two, or in one that cannot guide it; the first error of a run; no
    /// start where the density is finite.
    pub fn of<A: Clone>(model: M, blocks: Blocks<E, D, W>, args: impl IntoArgs<Args = A>) -> Result<Self, Error>
    where
        M: Model<A, E = E, D = D> + Clone,
    {
        Self::beginning(model, blocks, args, &InitStrategy::default(), 0)
    }

    /// [`AutoGuideList::of`] whose locations begin where the strategy says, drawn from this seed.
    ///
    /// # Errors
    /// As [`AutoGuideList::of`], and values that do not fit their sites.
    pub fn beginning<A: Clone>(
        model: M,
        blocks: Blocks<E, D, W>,
        args: impl IntoArgs<Args = A>,
        strategy: &InitStrategy,
        seed: u64,
    ) -> Result<Self, Error>
    where
        M: Model<A, E = E, D = D> + Clone,
    {
        Self::make(model, blocks, args.into_args(), (strategy, seed), true)
    }

    fn make<A: Clone>(
        model: M,
        blocks: Blocks<E, D, W>,
        args: A,
        (strategy, seed): (&InitStrategy, u64),
        scoped: bool,
    ) -> Result<Self, Error>
    where
        M: Model<A, E = E, D = D> + Clone,
    {
        let mut attempt = 0;
        loop {
            let (latents, values) = find(&model, args.clone(), seed, attempt)?;
            let places = blocks.partition(&latents)?;
            let is_family = |at: usize| blocks.part(places[at]).is_some_and(|part| !part.is_discrete());
            let mut others = ValueMap::new();
            for (at, value) in values.into_iter().enumerate().filter(|(at, _)| !is_family(*at)) {
                others.put_any(latents[at].name.as_str(), value);
            }
            let layout = if (0..latents.len()).any(is_family) {
                let (strategy, others) = divided(strategy, others);
                start(&model, others, args.clone(), &strategy, seed)
            } else {
                Ok(Layout { sites: Vec::new(), start: Vec::new() })
            };
            attempt += 1;
            // Values drawn from the prior may leave the others no place.
            if layout.is_err() && attempt < ATTEMPTS {
                continue;
            }
            let plan = Arc::new(blocks.plan(&latents, &places, &layout?, scoped)?);
            return Ok(AutoGuideList { model, plan, written: blocks.written });
        }
    }

    /// The continuous sites of all families, with their places among the unconstrained numbers.
    pub fn sites(&self) -> &[LatentSite] {
        &self.plan.sites
    }
}

/// The latent sites of a run, with values from the prior.
type Found = (Vec<Latent>, Vec<Box<dyn AnyValue>>);

fn find<A, M: Model<A>>(model: &M, args: A, seed: u64, attempt: u64) -> Result<Found, Error> {
    let mut prior = Prior::new(Rng::stream(seed, attempt));
    // A draw may put a parameter out of its range, which is no fault of the guide.
    Handler::<M::E, M::D>::context(&mut prior).validate = false;
    let mut store = ParamStore::new(seed);
    let mut params = Params::new(&mut store, &mut prior);
    let mut find = FindLatents::<M::E, M::D>::new(&mut params);
    no_grad(|| model.run(&mut find, args));
    // Sites that are summed over are no guide's.
    let found = find.latents.into_iter().zip(find.values).filter(|(latent, _)| !latent.enumerate).unzip();
    params.context().finish(found)
}

/// The strategy for sites of families, and the values of the others, as given where they are.
fn divided(strategy: &InitStrategy, drawn: ValueMap) -> (InitStrategy, ValueMap) {
    let InitStrategy::Values(given) = strategy else { return (strategy.clone(), drawn) };
    let (mut own, mut others) = (ValueMap::new(), drawn);
    for name in given.names() {
        let Some(value) = given.get(name) else { continue };
        let to = if others.get(name).is_some() { &mut others } else { &mut own };
        to.put_any(name, value.boxed());
    }
    (InitStrategy::Values(own), others)
}

/// The sites that are left where the others have these values, and a start of theirs.
fn start<A, M, E, D>(
    model: &M,
    others: ValueMap,
    args: A,
    strategy: &InitStrategy,
    seed: u64,
) -> Result<Layout<E>, Error>
where
    A: Clone,
    M: Model<A, E = E, D = D> + Clone,
    E: Dtype,
    D: Backend<E>,
{
    let given = model.clone().condition(others);
    let mut density = ModelDensity::of_a_batch(given, args, ParamStore::new(seed))?;
    let start = finite_start(&mut density, strategy, &mut Rng::seed(seed)).map_err(|none| no_start(M::NAME, none))?;
    Ok(Layout::of_all_rows(density.sites(), &start.position))
}

impl<M, E: Dtype, D: Backend<E>> AutoDiscreteParallel<M, E, D> {
    /// The mean-field guide of a model with these arguments whose latent sites are all discrete, each with finitely many
    /// values.
    ///
    /// # Errors
    /// As [`AutoGuideList::of`]; a continuous site, or one without a list of values.
    pub fn new<A: Clone>(model: M, args: impl IntoArgs<Args = A>) -> Result<Self, Error>
    where
        M: Model<A, E = E, D = D> + Clone,
    {
        let blocks = Blocks::new().rest(DiscreteParallel).with_written(DiscreteParallel);
        Self::make(model, blocks, args.into_args(), (&InitStrategy::default(), 0), false)
    }
}

/// A guide of one block: nothing is written by hand.
impl<A: Clone, E: Dtype, D: Backend<E>> Written<A, E, D> for DiscreteParallel {
    fn each(&self, args: &A, visit: &mut dyn FnMut(&dyn Fn(&mut dyn Handler<E, D>))) {
        ().each(args, visit);
    }

    fn medians(&self, _: &ParamStore<E, D>, _: &A, _: &mut Vec<Option<ValueMap>>) {}
}

impl<M: Program, E: Dtype, D: Backend<E>, W: Named + Shared> Program for AutoGuideList<M, E, D, W> {
    type Base = GuideOf<M::Base>;
    const NAME: &'static str = W::NAME;
}

impl<A, M, E, D, W> Model<A> for AutoGuideList<M, E, D, W>
where
    A: Clone,
    M: Model<A, E = E, D = D>,
    E: Dtype,
    D: Backend<E>,
    W: Written<A, E, D>,
{
    type E = E;
    type D = D;
    type Output = ();
    type Trace = Untyped;

    fn run(&self, handler: &mut dyn Handler<E, D>, args: A) {
        let mut offer = run::Offer::new(handler, &self.plan, W::NAME);
        let mut block = 0;
        self.written.each(&args, &mut |part| offer.write(&mut block, part));
        self.model.run(&mut offer, args);
        offer.finish();
    }
}
