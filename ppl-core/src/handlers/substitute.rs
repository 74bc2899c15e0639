//! Sets values of latent sites, which stay latent and scored.

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::handler::Handler;
use crate::site::SampleSite;
use crate::values::ValueMap;

use super::Effect;

/// Gives latent sites values instead of draws; unlike data, they stay latent. Values for observed,
/// deterministic and intervened sites are left alone, so that a whole posterior draw can be given.
#[derive(Clone, Debug)]
pub struct Substitute(pub ValueMap);

/// The handler of [`Substitute`].
struct SubstituteHandler<'h, E: Dtype, D: Backend<E>> {
    inner: &'h mut dyn Handler<E, D>,
    effect: &'h Substitute,
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for SubstituteHandler<'_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
        if !site.is_observed()
            && site.state().is_random()
            && let Some(value) = self.effect.0.get(site.name())
        {
            let set = site.set_value(value, "substitute");
            self.inner.context().check(set);
        }
        self.inner.sample(site);
    }
}

impl<E: Dtype, D: Backend<E>> Effect<E, D> for Substitute {
    fn around(&self, inner: &mut dyn Handler<E, D>, body: &mut dyn FnMut(&mut dyn Handler<E, D>)) {
        body(&mut SubstituteHandler { inner, effect: self });
    }
}
