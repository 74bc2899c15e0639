//! The contract of a family of guides: how it draws the unconstrained numbers of all latent sites.

use ppl_core::address::Address;
use ppl_core::backend::Backend;
use ppl_core::distribution::Distribution;
use ppl_core::distributions::Normal;
use ppl_core::handler::Handler;
use ppl_core::params::ParamStore;
use ppl_core::shared::Shared;
use ppl_core::site::{HasBase, SiteKind, SiteState, TypedSite};
use ppl_core::transform::Flat;
use ppl_core::{Axis, Dtype, Error, Tensor};

use crate::model_density::LatentSite;

/// The latent sites of a model, with all rows of their plates, and where their unconstrained numbers begin.
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
        let parts = self.sites.iter().map(|site| numbers.slice(std::slice::from_ref(&site.range)));
        Proposal { parts: parts.map(Numbers::Drawn).collect(), jacobians: true }
    }

    /// The site of that full name.
    pub fn site(&self, name: &str) -> Option<&LatentSite> {
        self.sites.iter().find(|site| site.name == name)
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
    pub parts: Vec<Numbers<E, D>>,
    /// Whether the densities are of the unconstrained numbers, so that values have a Jacobian; not so of a point among the values.
    pub jacobians: bool,
}

/// What is proposed for the unconstrained numbers of a site, with all rows of its plates.
#[derive(Clone, Debug)]
pub enum Numbers<E: Dtype, D: Backend<E>> {
    /// They themselves.
    Drawn(Flat<E, D>),
    /// An auxiliary site of independent normal distributions, drawn for the rows of a run alone.
    Normal {
        /// The name of the auxiliary site.
        address: Address,
        /// The means.
        loc: Flat<E, D>,
        /// The standard deviations.
        scale: Flat<E, D>,
    },
}

impl<E: Dtype, D: Backend<E>> Numbers<E, D> {
    /// The numbers at these places, by default at all, drawn where they are not yet; a density counts `scale` times.
    ///
    /// # Errors
    /// If a draw has no numbers.
    pub fn at(
        &self,
        places: Option<&[usize]>,
        scale: f64,
        handler: &mut dyn Handler<E, D>,
    ) -> Result<Flat<E, D>, Error> {
        let picked = |all: &Flat<E, D>| places.map_or_else(|| all.clone(), |places| all.gather(places));
        match self {
            Numbers::Drawn(numbers) => Ok(picked(numbers)),
            Numbers::Normal { address, loc, scale: deviation } => {
                let normal = Normal::new(picked(loc), picked(deviation)).to_event::<Axis<0>>();
                auxiliary(handler, address.clone(), normal, scale)
            }
        }
    }
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
    auxiliary(handler, address, distribution, 1.0)
}

fn auxiliary<E: Dtype, D: Backend<E>, P: Distribution<E, D>>(
    handler: &mut dyn Handler<E, D>,
    address: Address,
    distribution: P,
    scale: f64,
) -> Result<Flat<E, D>, Error> {
    let state = SiteState { scale, ..SiteState::alone(address, SiteKind::Auxiliary) };
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
