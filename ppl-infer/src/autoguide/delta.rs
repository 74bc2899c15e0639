//! Guides that propose a point.

use ppl_core::address::Address;
use ppl_core::backend::Backend;
use ppl_core::handler::Handler;
use ppl_core::model::{IntoArgs, Model};
use ppl_core::params::ParamStore;
use ppl_core::primitives::param;
use ppl_core::transform::Flat;
use ppl_core::{Dtype, Error, Tensor};

use crate::model_density::LatentSite;

use super::family::{Family, Layout, Located, Numbers, Proposal, values};
use super::{AutoDelta, AutoGuide, AutoLaplaceApproximation, Named};

/// The location, by site.
pub(super) const LOC: &str = "auto_loc";

/// A point among the values: no Jacobians.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point;

/// A point among the unconstrained numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PointUnconstrained;

impl<M, E: Dtype> AutoDelta<M, E> {
    /// The point estimate of a model with these arguments.
    ///
    /// # Errors
    /// As [`AutoGuide::of`].
    pub fn new<A: Clone, D: Backend<E>>(model: M, args: impl IntoArgs<Args = A>) -> Result<Self, Error>
    where
        M: Model<A, E = E, D = D> + Clone,
    {
        AutoGuide::of(model, Point, args)
    }
}

impl<M, E: Dtype> AutoLaplaceApproximation<M, E> {
    /// The mode of a model with these arguments, and the curvature there.
    ///
    /// # Errors
    /// As [`AutoGuide::of`].
    pub fn new<A: Clone, D: Backend<E>>(model: M, args: impl IntoArgs<Args = A>) -> Result<Self, Error>
    where
        M: Model<A, E = E, D = D> + Clone,
    {
        AutoGuide::of(model, PointUnconstrained, args)
    }
}

impl Named for Point {
    const NAME: &'static str = "AutoDelta";
}

impl Named for PointUnconstrained {
    const NAME: &'static str = "AutoLaplaceApproximation";
}

/// The name of a site's own parameter.
pub(super) fn name_of(kind: &'static str, site: &str) -> Address {
    Address::fixed(kind).with_suffix(&format!(".{site}"))
}

/// The parameters of each site.
pub(super) fn locations<E: Dtype, D: Backend<E>>(
    layout: &Layout<E>,
    handler: &mut dyn Handler<E, D>,
) -> Vec<Flat<E, D>> {
    let location = |site: &LatentSite| {
        let first = layout.start[site.range.clone()].to_vec();
        param(handler, name_of(LOC, &site.name), |_| Tensor::vector(first))
    };
    layout.sites.iter().map(location).collect()
}

impl<E: Dtype, D: Backend<E>> Family<E, D> for Point {
    fn propose(&self, layout: &Layout<E>, handler: &mut dyn Handler<E, D>) -> Result<Proposal<E, D>, Error> {
        let parts = locations(layout, handler).into_iter().map(Numbers::Drawn).collect();
        Ok(Proposal { parts, jacobians: false })
    }
}

impl<E: Dtype, D: Backend<E>> Located<E, D> for Point {
    fn location(&self, layout: &Layout<E>, params: &ParamStore<E, D>) -> Vec<f64> {
        by_site(layout, params)
    }
}

/// The location out of each site's parameter.
pub(super) fn by_site<E: Dtype, D: Backend<E>>(layout: &Layout<E>, params: &ParamStore<E, D>) -> Vec<f64> {
    let parts = layout
        .sites
        .iter()
        .map(|site| values(params, name_of(LOC, &site.name).as_str(), &layout.start[site.range.clone()]));
    parts.flatten().collect()
}

impl<E: Dtype, D: Backend<E>> Family<E, D> for PointUnconstrained {
    fn propose(&self, layout: &Layout<E>, handler: &mut dyn Handler<E, D>) -> Result<Proposal<E, D>, Error> {
        let numbers = param(handler, Address::fixed(LOC), |_| layout.start());
        Ok(layout.split(&numbers))
    }
}

impl<E: Dtype, D: Backend<E>> Located<E, D> for PointUnconstrained {
    fn location(&self, layout: &Layout<E>, params: &ParamStore<E, D>) -> Vec<f64> {
        values(params, LOC, &layout.start)
    }
}
