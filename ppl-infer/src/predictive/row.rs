//! The handler that gives latent sites their numbers in a row of draws.

use ppl_core::backend::Backend;
use ppl_core::handler::Handler;
use ppl_core::plate::{Plate, PlateRows};
use ppl_core::site::{SampleSite, SiteKind};
use ppl_core::{Dtype, Error};

use crate::draws::Variable;

use super::places::Places;

/// Which sites are drawn anew in spite of the draws.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Anew {
    /// Those that the draws lack, or have in plates of another size.
    pub(super) new_sites: bool,
    /// Those of these names.
    pub(super) names: Vec<String>,
}

/// Gives latent sites their numbers in a row, and reports what draws and model do not have in common.
pub(super) struct FromRow<'h, E: Dtype, D: Backend<E>> {
    inner: &'h mut dyn Handler<E, D>,
    variables: Places<'h>,
    row: &'h [f64],
    anew: &'h Anew,
    /// Which of the names to be drawn anew were met.
    drawn: Vec<bool>,
    /// The plates of which this run draws a subsample.
    subsampled: Vec<String>,
}

impl<'h, E: Dtype, D: Backend<E>> FromRow<'h, E, D> {
    /// On top of `inner`, the numbers of latent variables in a row.
    pub(super) fn new(
        variables: &'h [Variable],
        row: &'h [f64],
        anew: &'h Anew,
        inner: &'h mut dyn Handler<E, D>,
    ) -> Self {
        let drawn = vec![false; anew.names.len()];
        FromRow { inner, variables: Places::new(variables), row, anew, drawn, subsampled: Vec::new() }
    }

    /// # Errors
    /// If the run left out a variable of the draws, or a site that was to be drawn anew.
    pub(super) fn check_complete(&self) -> Result<(), Error> {
        if let Some(missed) = self.variables.missed() {
            let problem = "the draws have it, but this run of the model did not sample it; \
                           `ignore` it if the model has it no more";
            return Err(wrong(&missed.name, problem));
        }
        match self.drawn.iter().position(|drawn| !drawn) {
            Some(at) => {
                Err(wrong(&self.anew.names[at], "it was to be drawn anew, but this run of the model did not sample it"))
            }
            None => Ok(()),
        }
    }

    fn put(&mut self, site: &mut dyn SampleSite<E, D>) -> Result<(), Error> {
        let variable = self.variables.meet(site.name()).map(|(_, variable)| variable);
        if let Some(at) = self.anew.names.iter().position(|name| name == site.name()) {
            self.drawn[at] = true;
            return Ok(());
        }
        let Some(variable) = variable else {
            let problem = "the model samples it, but the draws do not have it; `redraw` it or `allow_new_sites` \
                           to draw it from its distribution given the others";
            return if self.anew.new_sites { Ok(()) } else { Err(wrong(site.name(), problem)) };
        };
        if self.anew.new_sites && differ_in_plates(site, &variable.dims) {
            return Ok(());
        }
        self.check_plates(site)?;
        check_sizes(site, &variable.dims)?;
        site.set_numbers(&self.row[variable.range.clone()], "posterior draw")
    }

    /// A subsample has other elements in each run: which of them the draws are of, nobody can tell.
    fn check_plates(&self, site: &dyn SampleSite<E, D>) -> Result<(), Error> {
        let of = |plate: &&String| site.state().frames.iter().any(|frame| *frame.name == *plate.as_str());
        match self.subsampled.iter().find(of) {
            Some(plate) => {
                let problem = format!(
                    "the draws have it, but it stands in the plate `{plate}`, of which each run draws another \
                     subsample; give the plate its rows, or `redraw` the site"
                );
                Err(wrong(site.name(), problem))
            }
            None => Ok(()),
        }
    }
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for FromRow<'_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
        if matches!(site.state().kind, SiteKind::Intervened | SiteKind::Deterministic) {
            // What is set or computed here needs no draw, though files of other programs may have one.
            self.variables.meet(site.name());
        } else if site.state().is_random() && !site.is_observed() {
            let put = self.put(site);
            self.inner.context().check(put);
        } else if site.is_observed() && self.variables.meet(site.name()).is_some() {
            let problem = "the draws have it as a latent site, but the model observes it; `ignore` it in the draws";
            self.inner.context().report(wrong(site.name(), problem));
        }
        self.inner.sample(site);
    }

    fn enter_plate(&mut self, plate: &mut Plate) {
        if plate.rows.is_none() && matches!(plate.ask, PlateRows::Subsample(n) if n < plate.size) {
            self.subsampled.push(plate.address.to_string());
        }
        self.inner.enter_plate(plate);
    }
}

/// Whether the site has other sizes than these, and only along the axes of its plates.
fn differ_in_plates<E: Dtype, D: Backend<E>>(site: &dyn SampleSite<E, D>, dims: &[usize]) -> bool {
    let here = site.value_dims();
    let plates = site.state().frames.iter().filter(|frame| !frame.is_loop).count();
    here != dims && here.len() == dims.len() && here[plates.min(here.len())..] == dims[plates.min(dims.len())..]
}

fn check_sizes<E: Dtype, D: Backend<E>>(site: &dyn SampleSite<E, D>, dims: &[usize]) -> Result<(), Error> {
    let expected = site.value_dims();
    if differ_in_plates(site, dims) {
        let problem = format!(
            "the draws have it with sizes {dims:?}, but with these arguments its sizes are {expected:?}; \
             for elements that the draws do not know, `redraw` it or `allow_new_sites`"
        );
        return Err(wrong(site.name(), problem));
    }
    if expected != dims {
        let (site, found) = (site.name().to_owned(), dims.to_vec());
        return Err(Error::ValueShape { site, action: "posterior draw", found, expected });
    }
    Ok(())
}

fn wrong(site: &str, problem: impl Into<String>) -> Error {
    Error::Site { site: site.to_owned(), problem: problem.into() }
}
