//! The handler that writes what is asked of each site into a row of numbers, the same for each draw.

use ppl_core::backend::Backend;
use ppl_core::handler::Handler;
use ppl_core::site::{SampleSite, SiteMask};
use ppl_core::{Dtype, Error};

use crate::draws::{Role, Variable, layout};

use super::places::Places;

/// What a site has to say.
pub(super) struct Entry {
    pub(super) dims: Vec<usize>,
    pub(super) role: Role,
    pub(super) numbers: Vec<f64>,
    /// Which of the numbers count.
    pub(super) mask: SiteMask,
}

/// What is asked of a site that has its value, and was observed or not when its statement was met; `None` where
/// the site is left out.
pub(super) type Ask<'a, E, D> = dyn Fn(&dyn SampleSite<E, D>, bool) -> Result<Option<Entry>, Error> + Sync + 'a;

/// The sites that had something to say, and the place of their numbers in a row.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) variables: Vec<Variable>,
    pub(super) masks: Vec<SiteMask>,
}

/// Asks each site.
pub(super) struct Record<'h, E: Dtype, D: Backend<E>> {
    inner: &'h mut dyn Handler<E, D>,
    ask: &'h Ask<'h, E, D>,
    into: Into<'h>,
}

/// Where answers go.
enum Into<'h> {
    /// The layout is not known yet.
    Found(Vec<(String, Entry)>),
    /// Into a row of this layout.
    Row { layout: &'h Layout, places: Places<'h>, row: Vec<f64> },
}

impl<'h, E: Dtype, D: Backend<E>> Record<'h, E, D> {
    /// Finds out which sites have something to say.
    pub(super) fn find(ask: &'h Ask<'h, E, D>, inner: &'h mut dyn Handler<E, D>) -> Self {
        Record { inner, ask, into: Into::Found(Vec::new()) }
    }

    /// Fills a row.
    pub(super) fn fill(layout: &'h Layout, ask: &'h Ask<'h, E, D>, inner: &'h mut dyn Handler<E, D>) -> Self {
        let row = vec![f64::NAN; layout.variables.last().map_or(0, |last| last.range.end)];
        Record { inner, ask, into: Into::Row { layout, places: Places::new(&layout.variables), row } }
    }

    /// The layout of what was found.
    pub(super) fn into_layout(self) -> Layout {
        let Into::Found(found) = self.into else { return Layout { variables: Vec::new(), masks: Vec::new() } };
        let masks = found.iter().map(|(_, entry)| entry.mask.clone()).collect();
        Layout { variables: layout(found.into_iter().map(|(name, entry)| (name, entry.dims, entry.role))), masks }
    }

    /// The row.
    ///
    /// # Errors
    /// If a site of the layout did not come.
    pub(super) fn into_row(self) -> Result<Vec<f64>, Error> {
        let Into::Row { places, row, .. } = self.into else { return Ok(Vec::new()) };
        places.missed().map_or(Ok(row), |missed| Err(comes_and_goes(&missed.name)))
    }

    fn record(&mut self, site: &dyn SampleSite<E, D>, was_observed: bool) -> Result<(), Error> {
        let Some(entry) = (self.ask)(site, was_observed)? else { return Ok(()) };
        match &mut self.into {
            Into::Found(found) => {
                if found.iter().any(|(name, _)| name == site.name()) {
                    return Err(Error::DuplicateSite(site.name().to_owned()));
                }
                found.push((site.name().to_owned(), entry));
            }
            Into::Row { layout, places, row } => {
                let (place, variable) = places.meet(site.name()).ok_or_else(|| comes_and_goes(site.name()))?;
                if variable.dims != entry.dims || layout.masks[place] != entry.mask {
                    return Err(changed(site.name(), &entry, variable));
                }
                row[variable.range.clone()].copy_from_slice(&entry.numbers);
            }
        }
        Ok(())
    }
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for Record<'_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
        let was_observed = site.is_observed();
        self.inner.sample(site);
        let recorded = self.record(site, was_observed);
        self.inner.context().check(recorded);
    }
}

fn comes_and_goes(site: &str) -> Error {
    let problem = "some draws have it and others do not, so that it cannot stand in one array; \
                   `keep` other sites, or use `traces`";
    Error::Site { site: site.to_owned(), problem: problem.into() }
}

fn changed(site: &str, here: &Entry, first: &Variable) -> Error {
    let (here, first) = (&here.dims, &first.dims);
    let problem = if here == first {
        "its mask changes from draw to draw, so that it has no fixed observations".to_owned()
    } else {
        format!(
            "its sizes are {here:?} in this draw and {first:?} in the first one, so that it cannot stand in one \
             array; `keep` other sites, or use `traces`"
        )
    };
    Error::Site { site: site.to_owned(), problem }
}
