//! Parts of a guide that are written by hand.

use std::marker::PhantomData;

use ppl_core::Dtype;
use ppl_core::backend::Backend;
use ppl_core::handler::Handler;
use ppl_core::model::{Model, Program};
use ppl_core::params::ParamStore;
use ppl_core::shared::Shared;
use ppl_core::values::{IntoValueMap, ValueMap};

use super::{Named, Untyped};

/// A part of a guide that is written by hand: it samples the sites of its block, each with a distribution of its own
/// choice, and may have parameters, plates and auxiliary draws of its own, under its own names.
///
/// It is what `#[guide(model, observed(..))]` made, where the sites of other blocks are declared observed; what
/// `#[model]` made; or, by [`AutoCallable::function`], a plain function of a handler and the model's arguments.
///
/// It runs before the model's body, so that its sites come first in the guide: where one of them has a closed divergence and
/// is not the model's first, [`TraceMeanFieldElbo`](crate::TraceMeanFieldElbo) refuses it; use
/// [`TraceElbo`](crate::TraceElbo).
#[derive(Clone, Copy, Debug)]
pub struct AutoCallable<G, Q = NoMedian> {
    guide: G,
    median: Q,
}

/// A part without a median.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoMedian;

impl<G> AutoCallable<G> {
    /// A part by a guide, without a median.
    pub fn new(guide: G) -> Self {
        AutoCallable { guide, median: NoMedian }
    }

    /// With the medians of its sites: values by name, as a function of the parameters and the model's arguments.
    pub fn median<F>(self, median: F) -> AutoCallable<G, MedianOf<F>> {
        AutoCallable { guide: self.guide, median: MedianOf(median) }
    }
}

impl<F, E: Dtype, D: Backend<E>> AutoCallable<Function<F, E, D>> {
    /// A part by a function `Fn(&mut dyn Handler<E, D>, A)` of a run's handler and the model's arguments, a tuple.
    pub fn function(function: F) -> Self {
        AutoCallable::new(Function { function, of: PhantomData })
    }
}

/// A function as a guide.
#[derive(Clone, Copy, Debug)]
pub struct Function<F, E, D> {
    function: F,
    of: PhantomData<fn(E, D)>,
}

impl<F: Shared, E: Dtype, D: Backend<E>> Program for Function<F, E, D> {
    type Base = Self;
    const NAME: &'static str = "AutoCallable";
}

impl<A, F, E, D> Model<A> for Function<F, E, D>
where
    F: Fn(&mut dyn Handler<E, D>, A) + Shared,
    E: Dtype,
    D: Backend<E>,
{
    type E = E;
    type D = D;
    type Output = ();
    type Trace = Untyped;

    fn run(&self, handler: &mut dyn Handler<E, D>, args: A) {
        (self.function)(handler, args);
    }
}

/// The medians of a part's sites.
pub trait Median<A, E: Dtype, D: Backend<E>>: Shared {
    /// Values by name; `None` where none were given.
    fn median(&self, params: &ParamStore<E, D>, args: A) -> Option<ValueMap>;
}

impl<A, E: Dtype, D: Backend<E>> Median<A, E, D> for NoMedian {
    fn median(&self, _: &ParamStore<E, D>, _: A) -> Option<ValueMap> {
        None
    }
}

/// Medians by a function.
#[derive(Clone, Copy, Debug)]
pub struct MedianOf<F>(F);

impl<A, F, V, E, D> Median<A, E, D> for MedianOf<F>
where
    F: Fn(&ParamStore<E, D>, A) -> V + Shared,
    V: IntoValueMap,
    E: Dtype,
    D: Backend<E>,
{
    fn median(&self, params: &ParamStore<E, D>, args: A) -> Option<ValueMap> {
        Some((self.0)(params, args).into_value_map())
    }
}

/// A run of one part under a handler.
type Run<'r, E, D> = &'r dyn Fn(&mut dyn Handler<E, D>);

/// The parts of a guide that are written by hand, in order: nothing, or those before and the last one.
#[diagnostic::on_unimplemented(
    message = "a part of the guide that is written by hand does not take the arguments `{A}`",
    label = "`{Self}` has such a part",
    note = "a part is a `#[guide]` with its model's arguments, or, by `AutoCallable::function`, a function of a `&mut dyn Handler` and of these arguments as a tuple"
)]
pub trait Written<A: Clone, E: Dtype, D: Backend<E>>: Named + Shared {
    /// Calls `visit` with the run of each part on these arguments.
    fn each(&self, args: &A, visit: &mut dyn FnMut(Run<'_, E, D>));

    /// Adds the medians of each part, where it has some.
    fn medians(&self, params: &ParamStore<E, D>, args: &A, found: &mut Vec<Option<ValueMap>>);
}

impl Named for () {
    const NAME: &'static str = "AutoGuideList";
}

impl<A: Clone, E: Dtype, D: Backend<E>> Written<A, E, D> for () {
    fn each(&self, _: &A, _: &mut dyn FnMut(Run<'_, E, D>)) {}

    fn medians(&self, _: &ParamStore<E, D>, _: &A, _: &mut Vec<Option<ValueMap>>) {}
}

impl<W, C> Named for (W, C) {
    const NAME: &'static str = "AutoGuideList";
}

impl<A, W, G, Q, E, D> Written<A, E, D> for (W, AutoCallable<G, Q>)
where
    A: Clone,
    W: Written<A, E, D>,
    G: Model<A, E = E, D = D>,
    Q: Median<A, E, D>,
    E: Dtype,
    D: Backend<E>,
{
    fn each(&self, args: &A, visit: &mut dyn FnMut(Run<'_, E, D>)) {
        let (before, part) = self;
        before.each(args, visit);
        visit(&|handler| {
            part.guide.run(handler, args.clone());
        });
    }

    fn medians(&self, params: &ParamStore<E, D>, args: &A, found: &mut Vec<Option<ValueMap>>) {
        self.0.medians(params, args, found);
        found.push(self.1.median.median(params, args.clone()));
    }
}
