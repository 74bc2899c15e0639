//! Takes values, and plates' rows, from another trace.

use std::sync::Arc;

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::error::Error;
use crate::handler::Handler;
use crate::plate::{Plate, PlateRows, Rows};
use crate::site::{SampleSite, SiteKind};
use crate::trace::{SiteRecord, Trace};

use super::Effect;

/// Gives each site that has no value yet its value in a trace, and each plate its rows.
pub struct Replay<'h, E: Dtype, D: Backend<E>> {
    inner: &'h mut dyn Handler<E, D>,
    from: &'h Trace<E, D>,
}

impl<'h, E: Dtype, D: Backend<E>> Replay<'h, E, D> {
    /// Replays `from` on top of `inner`.
    pub fn new(from: &'h Trace<E, D>, inner: &'h mut dyn Handler<E, D>) -> Self {
        Replay { inner, from }
    }
}

/// Whether a replay uses the site: what the other run drew, not what it was given.
fn is_replayed<E: Dtype, D: Backend<E>>(record: &SiteRecord<E, D>) -> bool {
    matches!(record.kind, SiteKind::Sample | SiteKind::Auxiliary) && !record.observed
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for Replay<'_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
        if !site.has_value()
            && let Some(record) = self.from.site(site.name()).filter(|r| is_replayed(r))
        {
            let set = site.set_value(&*record.value, "replay");
            self.inner.context().check(set);
        }
        self.inner.sample(site);
    }

    fn enter_plate(&mut self, plate: &mut Plate) {
        let name = plate.address.as_str();
        match self.from.plate(name) {
            Some((size, _)) if size != plate.size => {
                let problem = format!("it has {} elements here and {size} in the trace that is replayed", plate.size);
                self.inner.context().report(Error::Plate { plate: name.to_owned(), problem });
            }
            Some((_, rows)) if plate.rows.is_none() && gives_others(plate, rows) => {
                let problem = "its rows are given, but they are not those of the trace that is replayed".into();
                self.inner.context().report(Error::Plate { plate: name.to_owned(), problem });
            }
            Some((_, rows)) if plate.rows.is_none() => plate.rows = Some(rows.clone()),
            _ => {}
        }
        self.inner.enter_plate(plate);
    }
}

/// Whether the statement itself gives other rows than these.
fn gives_others(plate: &Plate, rows: &Rows) -> bool {
    matches!(&plate.ask, PlateRows::Given(given) if !given.same_as(rows))
}

/// The effect of `model.replay(trace)`.
#[derive(Clone, Debug)]
pub struct ReplayFrom<E: Dtype, D: Backend<E>>(pub Arc<Trace<E, D>>);

impl<E: Dtype, D: Backend<E>> Effect<E, D> for ReplayFrom<E, D> {
    fn around(&self, inner: &mut dyn Handler<E, D>, body: &mut dyn FnMut(&mut dyn Handler<E, D>)) {
        body(&mut Replay::new(&self.0, inner));
    }
}
