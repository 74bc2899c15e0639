//! The contract of a family of guides: how it draws the unconstrained numbers of all latent sites.

use ppl_core::address::Address;
use ppl_core::backend::Backend;
use ppl_core::distribution::Distribution;
use ppl_core::handler::Handler;
use ppl_core::params::ParamStore;
use ppl_core::plate::Frames;
use ppl_core::shared::Shared;
use ppl_core::site::{HasBase, SiteKind, SiteMask, SiteState, TypedSite};
use ppl_core::transform::Flat;
use ppl_core::{Dtype, Error, Tensor};

use crate::model_density::LatentSite;

/// The latent sites of a model, and where their unconstrained numbers begin.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout<E> {
    /// The sites, in the order of the model.
    pub sites: Vec<LatentSite>,
    /// The first location.
    pub start: Vec<E>,
}

impl<E: Dtype> Layout<E> {
    /// How many numbers there are.
    pub fn dim(&self) -> usize {
        self.start.len()
    }

    /// The first location as a tensor.
    pub fn start<D: Backend<E>>(&self) -> Flat<E, D> {
        Tensor::vector(self.start.clone())
    }

    /// The numbers of all sites in one vector, site by site.
    pub fn split<D: Backend<E>>(&self, numbers: &Flat<E, D>) -> Proposal<E, D> {
        let parts = self.sites.iter().map(|site| numbers.slice(std::slice::from_ref(&site.range))).collect();
        Proposal { parts, jacobians: true }
    }
}

/// A family has a name.
pub trait Named {
    /// It, as errors show it.
    const NAME: &'static str;
}

/// What a family proposes in one run.
#[derive(Clone, Debug)]
pub struct Proposal<E: Dtype, D: Backend<E>> {
    /// The unconstrained numbers of each site.
    pub parts: Vec<Flat<E, D>>,
    /// Whether the densities are of the unconstrained numbers, so that values have a Jacobian; not so of a point among the values.
    pub jacobians: bool,
}

/// A family of distributions over the unconstrained numbers of all latent sites.
pub trait Family<E: Dtype, D: Backend<E>>: Shared {
    /// Asks the handler for the parameters, and draws: what has a density is an auxiliary site.
    ///
    /// # Errors
    /// If the sites do not fit the family.
    fn propose(&self, layout: &Layout<E>, handler: &mut dyn Handler<E, D>) -> Result<Proposal<E, D>, Error>;

    /// Whether the sites fit the family, before any run.
    ///
    /// # Errors
    /// If not, with the first one that does not.
    fn check(&self, _layout: &Layout<E>) -> Result<(), Error> {
        Ok(())
    }
}

/// A family with a location: where each unconstrained number has its median.
pub trait Located<E: Dtype, D: Backend<E>>: Family<E, D> {
    /// The location; the first one of parameters that no step has made yet.
    fn location(&self, layout: &Layout<E>, params: &ParamStore<E, D>) -> Vec<f64>;
}

/// Draws an auxiliary site that stands in no plate.
pub(super) fn draw<E: Dtype, D: Backend<E>, P: Distribution<E, D>>(
    handler: &mut dyn Handler<E, D>,
    name: Address,
    distribution: P,
) -> Result<Flat<E, D>, Error> {
    let address = name.under(handler.context().scope());
    let state = SiteState {
        address,
        kind: SiteKind::Auxiliary,
        observed: false,
        scale: 1.0,
        mask: SiteMask::All(true),
        frames: Frames::new(),
    };
    let mut site = TypedSite::new(state, distribution, None);
    handler.sample(&mut site);
    site.flat()
}

/// The elements of a parameter tensor in the space of its constraint, or these where there is none yet.
pub(super) fn values<E: Dtype, D: Backend<E>>(params: &ParamStore<E, D>, name: &str, first: &[E]) -> Vec<f64> {
    match params.constrained(name) {
        Some(tensor) => tensor.to_vec().into_iter().map(Dtype::wide).collect(),
        None => first.iter().map(|v| v.wide()).collect(),
    }
}
