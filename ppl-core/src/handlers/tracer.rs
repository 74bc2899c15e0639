//! Keeps a record of the run.

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::handler::Handler;
use crate::plate::Plate;
use crate::site::SampleSite;
use crate::trace::{Keep, SiteRecord, Trace};

/// Records every site and plate that passes.
pub struct Tracer<'h, E: Dtype, D: Backend<E>> {
    inner: &'h mut dyn Handler<E, D>,
    trace: Trace<E, D>,
    keep: Keep,
}

impl<'h, E: Dtype, D: Backend<E>> Tracer<'h, E, D> {
    /// A recorder on top of `inner`.
    pub fn new(inner: &'h mut dyn Handler<E, D>) -> Self {
        Tracer { inner, trace: Trace::default(), keep: Keep::default() }
    }

    /// Keeps more of each site.
    #[must_use]
    pub fn keeping(mut self, keep: Keep) -> Self {
        self.keep = keep;
        self
    }

    /// What was recorded.
    pub fn into_trace(self) -> Trace<E, D> {
        self.trace
    }
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for Tracer<'_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
        self.inner.sample(site);
        if let Some(value) = site.value() {
            let recorded = self.trace.insert(SiteRecord::keeping(self.keep, site, value));
            self.inner.context().check(recorded);
        }
    }

    fn enter_plate(&mut self, plate: &mut Plate) {
        self.inner.enter_plate(plate);
        if let Some(rows) = &plate.rows {
            self.trace.insert_plate(plate.address.as_str(), plate.size, rows.clone());
        }
    }
}
