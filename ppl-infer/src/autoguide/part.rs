//! A family of guides without its type, as one part of a guide of several.

use std::fmt;
use std::sync::Arc;

use ppl_core::backend::Backend;
use ppl_core::handler::Handler;
use ppl_core::params::{Init, Module, ParamStore};
use ppl_core::shared::Shared;
use ppl_core::transform::Transform;
use ppl_core::{Dtype, Error};

use super::delta::{Point, PointUnconstrained};
use super::discrete::DiscreteParallel;
use super::family::{Family, Layout, Located, Named, Proposal};
use super::flow::FlowFamily;
use super::gaussian::Gaussian;
use super::joint_normal::{Covariance, Diagonal, Full, LowRank};
use super::normal::PerSite;
use super::structured::Structured;

/// What a block of a guide is made of: a family over the unconstrained numbers of its sites, or [`DiscreteParallel`].
/// Every family of this crate becomes one with `into`; one of your own by the function that fits what it knows.
#[derive(Clone)]
pub struct Part<E: Dtype, D: Backend<E>> {
    name: &'static str,
    kind: Kind<E, D>,
}

/// What is known of a part.
#[derive(Clone)]
enum Kind<E: Dtype, D: Backend<E>> {
    Drawn(Arc<dyn Family<E, D>>),
    Located(Arc<dyn Located<E, D>>),
    Normal(Arc<dyn Covariance<E, D>>),
    Discrete,
}

impl<E: Dtype, D: Backend<E>> Part<E, D> {
    /// A family that can be drawn from, and no more: the guide has neither median nor quantiles.
    pub fn drawn<F: Family<E, D> + Named + 'static>(family: F) -> Self {
        Part { name: F::NAME, kind: Kind::Drawn(Arc::new(family)) }
    }

    /// A family with a median.
    pub fn located<F: Located<E, D> + Named + 'static>(family: F) -> Self {
        Part { name: F::NAME, kind: Kind::Located(Arc::new(family)) }
    }

    /// A family of normal distributions.
    pub fn normal<F: Covariance<E, D> + Named + 'static>(family: F) -> Self {
        Part { name: F::NAME, kind: Kind::Normal(Arc::new(family)) }
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// Whether it is one over values that are listed, not over unconstrained numbers.
    pub(super) fn is_discrete(&self) -> bool {
        matches!(self.kind, Kind::Discrete)
    }

    /// The unconstrained numbers of its sites; nothing of discrete ones.
    pub(super) fn propose(&self, layout: &Layout<E>, handler: &mut dyn Handler<E, D>) -> Result<Proposal<E, D>, Error> {
        match &self.kind {
            Kind::Drawn(family) => family.propose(layout, handler),
            Kind::Located(family) => family.propose(layout, handler),
            Kind::Normal(family) => family.propose(layout, handler),
            Kind::Discrete => Ok(Proposal { parts: Vec::new(), jacobians: false }),
        }
    }

    /// Whether its sites fit it.
    pub(super) fn check(&self, layout: &Layout<E>) -> Result<(), Error> {
        match &self.kind {
            Kind::Drawn(family) => family.check(layout),
            Kind::Located(family) => family.check(layout),
            Kind::Normal(family) => family.check(layout),
            Kind::Discrete => Ok(()),
        }
    }

    /// The medians of the unconstrained numbers, where the family knows them.
    pub(super) fn location(&self, layout: &Layout<E>, params: &ParamStore<E, D>) -> Option<Vec<f64>> {
        match &self.kind {
            Kind::Drawn(_) | Kind::Discrete => None,
            Kind::Located(family) => Some(family.location(layout, params)),
            Kind::Normal(family) => Some(family.location(layout, params)),
        }
    }

    /// The normal distribution of the unconstrained numbers, where it is one.
    pub(super) fn gaussian(&self, layout: &Layout<E>, params: &ParamStore<E, D>) -> Option<Gaussian> {
        match &self.kind {
            Kind::Normal(family) => Some(family.gaussian(layout, params)),
            Kind::Drawn(_) | Kind::Located(_) | Kind::Discrete => None,
        }
    }
}

impl<E: Dtype, D: Backend<E>> fmt::Debug for Part<E, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Part({})", self.name)
    }
}

macro_rules! parts {
    ($($Family:ident by $constructor:ident;)+) => {$(
        impl<E: Dtype, D: Backend<E>> From<$Family> for Part<E, D> {
            fn from(family: $Family) -> Self {
                Part::$constructor(family)
            }
        }
    )+};
}

parts! {
    Point by located;
    PointUnconstrained by located;
    PerSite by normal;
    Diagonal by normal;
    Full by normal;
    LowRank by normal;
    Gaussian by normal;
    Structured by normal;
}

impl<E: Dtype, D: Backend<E>> From<DiscreteParallel> for Part<E, D> {
    fn from(_: DiscreteParallel) -> Self {
        Part { name: DiscreteParallel::NAME, kind: Kind::Discrete }
    }
}

impl<E, D, B, F> From<FlowFamily<B>> for Part<E, D>
where
    E: Dtype,
    D: Backend<E>,
    B: Fn(&mut Init<E, D>, usize) -> F + Shared + 'static,
    F: Transform<E, D> + Module<E, D>,
{
    fn from(family: FlowFamily<B>) -> Self {
        Part::drawn(family)
    }
}
