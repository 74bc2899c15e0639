//! A normal distribution of each site.

use ppl_core::backend::Backend;
use ppl_core::constraint::Positive;
use ppl_core::handler::Handler;
use ppl_core::model::{IntoArgs, Model};
use ppl_core::params::ParamStore;
use ppl_core::primitives::param_constrained;
use ppl_core::{Dtype, Error, Tensor};

use super::delta::{by_site, locations, name_of};
use super::family::{Family, Layout, Located, Numbers, Proposal, values};
use super::gaussian::{Gaussian, diagonal};
use super::joint_normal::{Covariance, INIT_SCALE};
use super::{AutoGuide, AutoNormal, Named};

/// The standard deviations, by site.
const SCALE: &str = "auto_scale";

/// Independent normal distributions, site by site.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PerSite {
    /// The first standard deviation of each number; default 0.1.
    pub init_scale: f64,
}

impl Default for PerSite {
    fn default() -> Self {
        PerSite { init_scale: INIT_SCALE }
    }
}

impl<M, E: Dtype> AutoNormal<M, E> {
    /// The mean-field guide of a model with these arguments.
    ///
    /// # Errors
    /// As [`AutoGuide::of`].
    pub fn new<A: Clone, D: Backend<E>>(model: M, args: impl IntoArgs<Args = A>) -> Result<Self, Error>
    where
        M: Model<A, E = E, D = D> + Clone,
    {
        AutoGuide::of(model, PerSite::default(), args)
    }
}

impl Named for PerSite {
    const NAME: &'static str = "AutoNormal";
}

impl<E: Dtype, D: Backend<E>> Family<E, D> for PerSite {
    fn propose(&self, layout: &Layout<E>, handler: &mut dyn Handler<E, D>) -> Result<Proposal<E, D>, Error> {
        let locations = locations(layout, handler);
        let normals = layout.sites.iter().zip(locations).map(|(site, loc)| {
            let first = |_: &mut _| Tensor::full_like(E::of(self.init_scale), (site.range.len(),));
            let scale = param_constrained(handler, name_of(SCALE, &site.name), first, Positive);
            let address = name_of("auto_latent", &site.name).under(handler.context().scope());
            Numbers::Normal { address, loc, scale }
        });
        Ok(Proposal { parts: normals.collect(), jacobians: true })
    }
}

impl<E: Dtype, D: Backend<E>> Located<E, D> for PerSite {
    fn location(&self, layout: &Layout<E>, params: &ParamStore<E, D>) -> Vec<f64> {
        by_site(layout, params)
    }
}

impl<E: Dtype, D: Backend<E>> Covariance<E, D> for PerSite {
    fn gaussian(&self, layout: &Layout<E>, params: &ParamStore<E, D>) -> Gaussian {
        let scales = layout.sites.iter().flat_map(|site| {
            let first = vec![E::of(self.init_scale); site.range.len()];
            values(params, name_of(SCALE, &site.name).as_str(), &first)
        });
        let covariance = diagonal(scales.map(|scale| scale * scale));
        Gaussian { sites: layout.sites.clone(), loc: self.location(layout, params), covariance }
    }
}
