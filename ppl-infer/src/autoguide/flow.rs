//! Guides that push a standard normal vector through a normalising flow.

use ppl_core::address::Address;
use ppl_core::backend::Backend;
use ppl_core::distribution::Distribution;
use ppl_core::distributions::{Normal, TransformedDistribution};
use ppl_core::flows::{AffineAutoregressive, Stack};
use ppl_core::handler::Handler;
use ppl_core::handlers::NeuTra;
use ppl_core::model::{IntoArgs, Model};
use ppl_core::params::{Init, Module, ParamStore};
use ppl_core::primitives::module;
use ppl_core::transform::{Permute, Transform};
use ppl_core::{Axis, Dtype, Error};

use super::family::{Family, Layout, Proposal, draw};
use super::{AutoGuide, AutoIafNormal, AutoNormalizingFlow, Named};

/// The flow.
const FLOW: &str = "auto_flow";

/// How a flow over so many numbers is made.
type Build<E, D, F> = fn(&mut Init<E, D>, usize) -> F;

/// The distributions that a flow makes of a standard normal vector; `build` makes the flow.
#[derive(Clone, Copy, Debug)]
pub struct FlowFamily<B> {
    build: B,
}

impl<B> FlowFamily<B> {
    /// The family whose flow over so many numbers `build` makes; [`iaf`] is one.
    pub fn new(build: B) -> Self {
        FlowFamily { build }
    }
}

/// Makes inverse autoregressive flows.
pub type Iaf<E, D> = Build<E, D, Stack<E, D>>;

/// Three inverse autoregressive flows with two hidden layers as wide as there are numbers (at least 8), the order
/// reversed between them: NumPyro's default.
pub fn iaf<E: Dtype, D: Backend<E>>(init: &mut Init<E, D>, n: usize) -> Stack<E, D> {
    let hidden = [n.max(8); 2];
    let flow = Stack::new().then(AffineAutoregressive::new(init, n, &hidden));
    (1..3).fold(flow, |flow, _| flow.then(Permute::reversed(n)).then(AffineAutoregressive::new(init, n, &hidden)))
}

impl<M, E: Dtype, D: Backend<E>> AutoIafNormal<M, E, D> {
    /// The guide of a model with these arguments, with the flows of [`iaf`].
    ///
    /// # Errors
    /// As [`AutoGuide::of`].
    pub fn new<A: Clone>(model: M, args: impl IntoArgs<Args = A>) -> Result<Self, Error>
    where
        M: Model<A, E = E, D = D> + Clone,
    {
        AutoGuide::of(model, FlowFamily { build: iaf::<E, D> as Iaf<E, D> }, args)
    }
}

impl<M, B, E: Dtype> AutoNormalizingFlow<M, B, E> {
    /// The guide of a model with these arguments, with the flow that `build` makes for that many numbers.
    ///
    /// # Errors
    /// As [`AutoGuide::of`].
    pub fn with_flow<A: Clone, D: Backend<E>, F>(
        model: M,
        args: impl IntoArgs<Args = A>,
        build: B,
    ) -> Result<Self, Error>
    where
        M: Model<A, E = E, D = D> + Clone,
        B: Fn(&mut Init<E, D>, usize) -> F,
        F: Transform<E, D> + Module<E, D>,
    {
        AutoGuide::of(model, FlowFamily { build }, args)
    }

    /// The trained flow as neural transport, with which a sampler moves where the guide has made the posterior nearly
    /// normal: `model.neutra(guide.transport(&params)?)`.
    ///
    /// # Errors
    /// If no step has made the flow yet.
    pub fn transport<D: Backend<E>, F>(&self, params: &ParamStore<E, D>) -> Result<NeuTra<E, D>, Error>
    where
        B: Fn(&mut Init<E, D>, usize) -> F,
        F: Transform<E, D> + Module<E, D>,
    {
        let flow = params.get::<F>(FLOW).ok_or_else(|| Error::Param {
            param: FLOW.to_owned(),
            problem: "the store has no flow of this kind; fit the guide first".into(),
        })?;
        Ok(NeuTra::trained(flow, self.dim()))
    }
}

impl<B> Named for FlowFamily<B> {
    const NAME: &'static str = "AutoNormalizingFlow";
}

impl<E, D, B, F> Family<E, D> for FlowFamily<B>
where
    E: Dtype,
    D: Backend<E>,
    B: Fn(&mut Init<E, D>, usize) -> F + ppl_core::shared::Shared,
    F: Transform<E, D> + Module<E, D>,
{
    fn propose(&self, layout: &Layout<E>, handler: &mut dyn Handler<E, D>) -> Result<Proposal<E, D>, Error> {
        let n = layout.dim();
        let flow = module(handler, Address::fixed(FLOW), |init| (self.build)(init, n));
        let base = Normal::standard_like((n,)).to_event::<Axis<0>>();
        let numbers = draw(handler, Address::fixed("auto_latent"), TransformedDistribution::new(base, flow))?;
        Ok(layout.split(&numbers))
    }
}
