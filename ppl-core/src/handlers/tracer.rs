//! Keeps a record of the run.

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::error::Error;
use crate::handler::Handler;
use crate::model::Model;
use crate::plate::Plate;
use crate::site::SampleSite;
use crate::trace::{SiteRecord, Trace};

use super::Prior;

/// Records every site and plate that passes.
pub struct Tracer<'h, E: Dtype, D: Backend<E>> {
    inner: &'h mut dyn Handler<E, D>,
    trace: Trace<E, D>,
}

impl<'h, E: Dtype, D: Backend<E>> Tracer<'h, E, D> {
    /// A recorder on top of `inner`.
    pub fn new(inner: &'h mut dyn Handler<E, D>) -> Self {
        Tracer { inner, trace: Trace::default() }
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
            let recorded = self.trace.insert(SiteRecord::of(site, value));
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

/// Runs a model once from its prior and returns its result and its trace.
///
/// # Errors
/// The first error of the run.
pub fn trace<A, M: Model<A>>(model: &M, args: A, seed: u64) -> Result<(M::Output, Trace<M::E, M::D>), Error> {
    let mut prior = Prior::seeded(seed);
    let (output, trace) = run_traced(model, args, &mut prior);
    Handler::<M::E, M::D>::context(&mut prior).finish((output, trace))
}

/// Runs a model under `handler` and a recorder.
pub(crate) fn run_traced<A, M: Model<A>>(
    model: &M,
    args: A,
    handler: &mut dyn Handler<M::E, M::D>,
) -> (M::Output, Trace<M::E, M::D>) {
    let mut tracer = Tracer::new(handler);
    let output = model.run(&mut tracer, args);
    (output, tracer.into_trace())
}
