//! Sets values without scoring them: Pearl's `do`.

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::handler::Handler;
use crate::site::{SampleSite, SiteKind};
use crate::values::ValueMap;

use super::Effect;

/// Sets sites to values that their distributions have no say in: they are neither drawn nor scored.
#[derive(Clone, Debug)]
pub struct Intervene(pub ValueMap);

/// The handler of [`Intervene`].
struct InterveneHandler<'h, E: Dtype, D: Backend<E>> {
    inner: &'h mut dyn Handler<E, D>,
    effect: &'h Intervene,
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for InterveneHandler<'_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
        if let Some(value) = self.effect.0.get(site.name()) {
            let set = site.set_value(value, "intervene");
            if set.is_ok() {
                site.state_mut().observed = false;
                site.state_mut().kind = SiteKind::Intervened;
            }
            self.inner.context().check(set);
        }
        self.inner.sample(site);
    }
}

impl<E: Dtype, D: Backend<E>> Effect<E, D> for Intervene {
    fn around(&self, inner: &mut dyn Handler<E, D>, body: &mut dyn FnMut(&mut dyn Handler<E, D>)) {
        body(&mut InterveneHandler { inner, effect: self });
    }
}
