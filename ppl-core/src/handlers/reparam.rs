//! Gives latent sites their values by way of other sites, in whose coordinates a sampler moves with
//! less trouble.

use std::sync::Arc;

use crate::address::indices_in;
use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::error::Error;
use crate::handler::Handler;
use crate::site::{SampleSite, SiteKind};

use super::Effect;

// What a strategy does with a site: the contract.
mod strategy;
// Location and scale, taken out of a distribution by degrees.
mod loc_scale;
// The base of a transformed distribution.
mod transform;

pub use loc_scale::LocScale;
pub use strategy::Strategy;
pub use transform::TransformBase;

/// Which sites get their values by way of other sites, and how: a list of names and strategies.
///
/// A name is a site's full name, or one with a `{}` for each index: `"theta_{}"` is all of a family, and
/// `"group_{}/theta"` a site in all submodels of a family. The first one on the list that fits a site counts.
/// Sites that a strategy makes go through the list as well: `"theta"` by [`TransformBase`] and
/// `"theta_base"` by [`LocScale`] is one after the other.
///
/// In a run the site named is no longer latent: its value is deterministic, recorded and without a density,
/// and what the model does with it stays as it was. Latent is the site that the strategy makes, in the same
/// plates, with the same scale and mask. A scale multiplies the log-density of what is latent, so for one that
/// is no plate's the model with a strategy is not quite the model without.
///
/// A value that a handler further out in the model has set (`model.substitute(..).reparam(..)`, a replay of the
/// model's own trace) stays; the new site gets what has it as its image. Sites that were set by an
/// intervention are left alone.
///
/// Names that a strategy makes are known when it runs, so that a guide of them is not checked before: write it as
/// a `#[model]`, with `impl Guide<the model> for the_guide {}`.
///
/// It is an error, of the run, if a site named is data, is no random variable, has no such form, or if the
/// run has no site of a name on the list.
#[derive(Clone, Debug)]
pub struct Reparam<E: Dtype, D: Backend<E>> {
    entries: Vec<Entry<E, D>>,
}

/// A line of the list.
#[derive(Clone, Debug)]
struct Entry<E: Dtype, D: Backend<E>> {
    name: String,
    strategy: Arc<dyn Strategy<E, D>>,
    /// Whether a run may be without such a site.
    optional: bool,
}

impl<E: Dtype, D: Backend<E>> Reparam<E, D> {
    /// An empty list.
    pub fn new() -> Self {
        Reparam { entries: Vec::new() }
    }

    /// With a strategy for the site (or the sites) of this name, at least one of which every run must have.
    #[must_use]
    pub fn site(self, name: impl Into<String>, strategy: impl Strategy<E, D>) -> Self {
        self.entry(name.into(), Arc::new(strategy), false)
    }

    /// With a strategy for a site that only some runs have.
    #[must_use]
    pub fn optional(self, name: impl Into<String>, strategy: impl Strategy<E, D>) -> Self {
        self.entry(name.into(), Arc::new(strategy), true)
    }

    fn entry(mut self, name: String, strategy: Arc<dyn Strategy<E, D>>, optional: bool) -> Self {
        self.entries.push(Entry { name, strategy, optional });
        self
    }
}

impl<E: Dtype, D: Backend<E>> Default for Reparam<E, D> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E: Dtype, D: Backend<E>> Entry<E, D> {
    fn fits(&self, name: &str) -> bool {
        self.name == name || (self.name.contains("{}") && indices_in(&self.name, name).is_some())
    }
}

/// The handler of [`Reparam`].
struct ReparamHandler<'h, E: Dtype, D: Backend<E>> {
    inner: &'h mut dyn Handler<E, D>,
    effect: &'h Reparam<E, D>,
    /// Which lines of the list have had a site.
    met: Vec<bool>,
}

impl<E: Dtype, D: Backend<E>> ReparamHandler<'_, E, D> {
    fn reparameterise(&mut self, at: usize, site: &mut dyn SampleSite<E, D>) -> Result<(), Error> {
        self.met[at] = true;
        let wrong = |site: &dyn SampleSite<E, D>, problem: &str| {
            Err(Error::Site { site: site.name().to_owned(), problem: problem.into() })
        };
        match site.state().kind {
            SiteKind::Intervened => Ok(()),
            SiteKind::Factor | SiteKind::Deterministic => wrong(
                site,
                "it is not random, so it cannot be reparameterised; name the sample sites that it depends on",
            ),
            SiteKind::Sample | SiteKind::Auxiliary if site.is_observed() => wrong(
                site,
                "it is data, so it cannot be reparameterised; take it off the list of `reparam`, or name the \
                 latent sites that it depends on",
            ),
            SiteKind::Sample | SiteKind::Auxiliary => {
                let strategy = self.effect.entries[at].strategy.clone();
                strategy.reparameterise(site, self)
            }
        }
    }

    /// What the list names and the run did not have.
    fn check_met(&mut self) {
        let lines = self.effect.entries.iter().zip(&self.met);
        let missed = lines.filter(|(entry, met)| !**met && !entry.optional).map(|(entry, _)| entry).next();
        if let Some(Entry { name, strategy, .. }) = missed {
            let problem = format!(
                "it is to be reparameterised ({strategy:?}), but this run had no such site, or an earlier line of the \
                 list took it; check the name, or use `optional` where only some runs have it"
            );
            self.inner.context().report(Error::Site { site: name.clone(), problem });
        }
    }
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for ReparamHandler<'_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
        if let Some(at) = self.effect.entries.iter().position(|entry| entry.fits(site.name())) {
            let result = self.reparameterise(at, site);
            self.inner.context().check(result);
        }
        self.inner.sample(site);
    }
}

impl<E: Dtype, D: Backend<E>> Effect<E, D> for Reparam<E, D> {
    fn around(&self, inner: &mut dyn Handler<E, D>, body: &mut dyn FnMut(&mut dyn Handler<E, D>)) {
        let met = vec![false; self.entries.len()];
        let mut handler = ReparamHandler { inner, effect: self, met };
        body(&mut handler);
        handler.check_met();
    }
}
