//! Tells inference, from outside a model, how its sites are to be treated.

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::handler::Handler;
use crate::site::SampleSite;

use super::Effect;

/// What inference is told of sites. As Pyro's `infer_config` and `config_enumerate`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InferConfig {
    enumerate: Vec<String>,
}

impl InferConfig {
    /// Nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Latent sites of this name are to be enumerated, as if their statement said so: a full name, or a pattern in which `{}` stands
    /// for an index.
    #[must_use]
    pub fn enumerate(mut self, name: impl Into<String>) -> Self {
        self.enumerate.push(name.into());
        self
    }
}

/// The handler of [`InferConfig`].
struct InferConfigHandler<'h, E: Dtype, D: Backend<E>> {
    inner: &'h mut dyn Handler<E, D>,
    effect: &'h InferConfig,
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for InferConfigHandler<'_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
        let state = site.state_mut();
        if state.is_random() && !state.observed && self.effect.enumerate.iter().any(|name| state.address.is_named(name))
        {
            state.enumerate = true;
        }
        self.inner.sample(site);
    }
}

impl<E: Dtype, D: Backend<E>> Effect<E, D> for InferConfig {
    fn around(&self, inner: &mut dyn Handler<E, D>, body: &mut dyn FnMut(&mut dyn Handler<E, D>)) {
        body(&mut InferConfigHandler { inner, effect: self });
    }
}
