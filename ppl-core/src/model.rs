//! Models as values: what `#[model]` and `#[guide]` make of functions, and their combinators.

use std::sync::Arc;

use dfdx::shapes::Shape;

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::error::Error;
use crate::handler::Handler;
use crate::handlers::{
    Block, Condition, Effect, Equalize, InferConfig, Intervene, Lift, Mask, NeuTra, Prior, Reparam, ReplayFrom, Scale,
    Scope, Seed, Subsample, Substitute, Tracer, Uncondition,
};
use crate::plate::Rows;
use crate::shared::Shared;
use crate::site::SiteMask;
use crate::tensor::Tensor;
use crate::trace::{Trace, TypedTrace};
use crate::values::{IntoValueMap, ValueMap};

/// A program over arguments `A`, a tuple.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model that takes the arguments `{A}`",
    label = "not a model of these arguments",
    note = "a guide takes exactly its model's arguments, and `run`, `step` and the like take them as a tuple"
)]
pub trait Model<A>: Program {
    /// The dtype of its tensors.
    type E: Dtype;
    /// The device of its tensors.
    type D: Backend<Self::E>;
    /// What it returns.
    type Output;
    /// Its trace as a struct.
    type Trace: TypedTrace;

    /// Runs the body: every statement is a call on `handler`.
    fn run(&self, handler: &mut dyn Handler<Self::E, Self::D>, args: A) -> Self::Output;
}

/// Arguments for a [`Model`]: a tuple, or, for a model of one argument, a reference or a tensor.
pub trait IntoArgs {
    /// The tuple.
    type Args;

    /// The tuple of arguments.
    fn into_args(self) -> Self::Args;
}

impl<'a, T: ?Sized> IntoArgs for &'a T {
    type Args = (&'a T,);
    fn into_args(self) -> Self::Args {
        (self,)
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> IntoArgs for Tensor<S, E, D> {
    type Args = (Self,);
    fn into_args(self) -> Self::Args {
        (self,)
    }
}

macro_rules! tuples_are_args {
    ($(($($T:ident),*))*) => {$(
        impl<$($T),*> IntoArgs for ($($T,)*) {
            type Args = Self;
            fn into_args(self) -> Self {
                self
            }
        }
    )*};
}

tuples_are_args! { () (A) (A, B) (A, B, C) (A, B, C, F) (A, B, C, F, G) (A, B, C, F, G, H) (A, B, C, F, G, H, I) (A, B, C, F, G, H, I, J) }

/// What `#[guide(model)]` makes of a function: it samples every latent site of the model.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a guide of `{M}`", note = "annotate it with `#[guide({M})]`")]
pub trait Guide<M> {}

/// Values for the sites of `M`: its own `…Values` struct, or a [`ValueMap`] by name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not hold values of `{M}`",
    note = "give the model's own values struct, or a `ValueMap` of values by name"
)]
pub trait ValuesOf<M>: IntoValueMap {}

impl<M> ValuesOf<M> for ValueMap {}

/// Anything that `#[model]` or `#[guide]` made, with or without effects around it.
///
/// The methods put an effect around a model and give a model back; the one applied last is the
/// outermost, and the model's statements meet the effects from the inside out.
pub trait Program: Shared + Sized {
    /// The annotated function beneath all effects.
    type Base;

    /// The function's name.
    const NAME: &'static str;

    /// The model with an effect of one's own around it.
    fn with<F>(self, effect: F) -> With<Self, F> {
        With { model: self, effect }
    }

    /// Observes values: the sites become data.
    fn condition(self, values: impl ValuesOf<Self::Base>) -> With<Self, Condition> {
        self.with(Condition(values.into_value_map()))
    }

    /// Forgets every observation, so that data are drawn.
    fn uncondition(self) -> With<Self, Uncondition> {
        self.with(Uncondition)
    }

    /// Sets values that are neither drawn nor scored (Pearl's `do`).
    fn intervene(self, values: impl ValuesOf<Self::Base>) -> With<Self, Intervene> {
        self.with(Intervene(values.into_value_map()))
    }

    /// Sets values of latent sites, which stay latent and scored.
    fn substitute(self, values: impl ValuesOf<Self::Base>) -> With<Self, Substitute> {
        self.with(Substitute(values.into_value_map()))
    }

    /// Takes values and plates' rows from a trace.
    fn replay<E: Dtype, D: Backend<E>>(self, trace: Arc<Trace<E, D>>) -> With<Self, ReplayFrom<E, D>> {
        self.with(ReplayFrom(trace))
    }

    /// Hides sites, by full name, from whoever runs the model.
    fn block(self, block: Block) -> With<Self, Block> {
        self.with(block)
    }

    /// Multiplies all log-densities by a positive number.
    fn scale(self, scale: f64) -> With<Self, Scale> {
        self.with(Scale(scale))
    }

    /// Leaves everything, or some plate elements, out of the log-density.
    fn mask(self, mask: SiteMask) -> With<Self, Mask> {
        self.with(Mask(mask))
    }

    /// Gives latent sites their values by way of other ones, which take their place.
    fn reparam<E: Dtype, D: Backend<E>>(self, sites: Reparam<E, D>) -> With<Self, Reparam<E, D>> {
        self.with(sites)
    }

    /// Gives all latent sites their values by way of one vector, through a trained flow.
    fn neutra<E: Dtype, D: Backend<E>>(self, transport: NeuTra<E, D>) -> With<Self, NeuTra<E, D>> {
        self.with(transport)
    }

    /// Makes random variables, with priors, of parameters: a Bayesian network of a network.
    fn lift<E: Dtype, D: Backend<E>>(self, priors: Lift<E, D>) -> With<Self, Lift<E, D>> {
        self.with(priors)
    }

    /// Puts all names under a scope.
    fn scope(self, name: impl Into<String>) -> With<Self, Scope> {
        self.with(Scope(name.into()))
    }

    /// Gives several sites the value of the first of them.
    fn equalize(self, sites: Equalize) -> With<Self, Equalize> {
        self.with(sites)
    }

    /// Tells inference how sites are to be treated.
    fn infer_config(self, config: InferConfig) -> With<Self, InferConfig> {
        self.with(config)
    }

    /// Draws everything from a seed of its own.
    fn seed(self, seed: u64) -> With<Self, Seed> {
        self.with(Seed(seed))
    }

    /// Fixes the rows of the plate `name`.
    fn subsample(self, name: impl Into<String>, rows: Rows) -> With<Self, Subsample> {
        self.with(Subsample(vec![(name.into(), rows)]))
    }
}

/// A model with an effect around it.
#[derive(Clone, Debug)]
pub struct With<M, F> {
    model: M,
    effect: F,
}

impl<M: Program, F: Shared> Program for With<M, F> {
    type Base = M::Base;
    const NAME: &'static str = M::NAME;
}

impl<A, M: Model<A>, F: Effect<M::E, M::D> + Shared> Model<A> for With<M, F> {
    type E = M::E;
    type D = M::D;
    type Output = M::Output;
    type Trace = M::Trace;

    fn run(&self, handler: &mut dyn Handler<M::E, M::D>, args: A) -> M::Output {
        let (mut args, mut output) = (Some(args), None);
        self.effect.around(handler, &mut |inner| {
            output = args.take().map(|args| self.model.run(inner, args));
        });
        output.expect("an effect runs the body once")
    }
}

/// Runs a model once from its prior and returns its result and its trace.
///
/// # Errors
/// The first error of the run.
pub fn trace<A, M: Model<A>>(model: &M, args: A, seed: u64) -> Result<(M::Output, Trace<M::E, M::D>), Error> {
    let mut prior = Prior::seeded(seed);
    let mut tracer = Tracer::new(&mut prior);
    let output = model.run(&mut tracer, args);
    let trace = tracer.into_trace();
    Handler::<M::E, M::D>::context(&mut prior).finish((output, trace))
}
