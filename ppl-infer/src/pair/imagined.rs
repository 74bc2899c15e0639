//! Draws what is observed, and keeps the data.

use ppl_core::Dtype;
use ppl_core::backend::Backend;
use ppl_core::handler::Handler;
use ppl_core::site::{SampleSite, SiteKind};
use ppl_core::values::ValueMap;

/// Draws the value of each observed site, which stays marked as data.
pub(super) struct Imagined<'h, E: Dtype, D: Backend<E>> {
    inner: &'h mut dyn Handler<E, D>,
    data: ValueMap,
}

impl<'h, E: Dtype, D: Backend<E>> Imagined<'h, E, D> {
    /// Drawn observations on top of `inner`.
    pub(super) fn new(inner: &'h mut dyn Handler<E, D>) -> Self {
        Imagined { inner, data: ValueMap::new() }
    }

    /// What was observed, by full name.
    pub(super) fn into_data(self) -> ValueMap {
        self.data
    }
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for Imagined<'_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
        if site.is_observed() && site.state().kind == SiteKind::Sample {
            if let Some(value) = site.value().map(|value| value.boxed()) {
                self.data.put_any(site.name(), value);
            }
            site.clear_value();
        }
        self.inner.sample(site);
    }
}
