//! The numbers of a site in a run that has some rows of its plates, among those of all rows.

use ppl_core::backend::Backend;
use ppl_core::handler::Context;
use ppl_core::plate::Rows;
use ppl_core::site::SampleSite;
use ppl_core::{Dtype, Error};

use crate::model_density::handler::plates_around;
use crate::model_density::{LatentSite, SitePlate};

use super::family::Layout;

/// The places of the numbers at these rows, each of so many; row-major in the plates, `per_element` numbers an element.
fn places(plates: impl Iterator<Item = (usize, Vec<usize>)>, per_element: usize) -> Vec<usize> {
    let elements = plates.fold(vec![0], |outer, (size, rows)| {
        outer.iter().flat_map(|at| rows.iter().map(move |row| at * size + row)).collect()
    });
    elements.into_iter().flat_map(|at| at * per_element..(at + 1) * per_element).collect()
}

/// Where the numbers of a run stand among those of a site that has all rows of its plates; `None` if the run has all too.
///
/// # Errors
/// In words, if the run has other plates.
pub(super) fn places_in(site: &LatentSite, plates: &[SitePlate]) -> Result<Option<Vec<usize>>, String> {
    let same = |(known, now): (&SitePlate, &SitePlate)| known.name == now.name && known.size == now.size;
    if site.plates.len() != plates.len() || !site.plates.iter().zip(plates).all(same) {
        return Err("it stands in other plates in this run than when the guide was made".into());
    }
    if plates.iter().all(|plate| plate.rows.is_all()) {
        return Ok(None);
    }
    let elements: usize = plates.iter().map(|plate| plate.size).product();
    let rows = plates.iter().map(|plate| (plate.size, plate.rows.to_vec()));
    Ok(Some(places(rows, site.range.len() / elements.max(1))))
}

/// [`places_in`] of a site on its way through the handlers.
///
/// # Errors
/// A site that stands in other plates than when the guide was made.
pub(super) fn rows_of<E: Dtype, D: Backend<E>>(
    known: &LatentSite,
    site: &dyn SampleSite<E, D>,
    context: &Context,
) -> Result<Option<Vec<usize>>, Error> {
    let places = places_in(known, &plates_around(site.state(), context));
    places.map_err(|problem| Error::Site { site: site.name().to_owned(), problem })
}

/// # Errors
/// The first plate that has some of its rows in a run, or all in another order.
pub(super) fn has_all_rows(run: &[LatentSite]) -> Result<(), Error> {
    let partial = run.iter().flat_map(|site| &site.plates).find(|plate| !plate.rows.iter().eq(0..plate.size));
    partial.map_or(Ok(()), |plate| {
        let problem = "the curvature of the density needs all its rows, in order; give it all".into();
        Err(Error::Plate { plate: plate.name.to_string(), problem })
    })
}

/// The numbers of a run's sites, picked from those of all rows.
///
/// # Panics
/// If the run has a site that the layout does not have.
pub(super) fn pick<E: Dtype>(layout: &Layout<E>, run: &[LatentSite], numbers: &[f64]) -> Vec<E> {
    let mut picked = Vec::new();
    for now in run {
        let site = layout.site(&now.name).expect("a site of the guide's own model");
        let all = &numbers[site.range.clone()];
        match places_in(site, &now.plates) {
            Ok(Some(places)) => picked.extend(places.into_iter().map(|at| E::of(all[at]))),
            _ => picked.extend(all.iter().map(|&x| E::of(x))),
        }
    }
    picked
}

impl<E: Dtype> Layout<E> {
    /// The layout of all rows, out of sites and a first location in which plates may have some: each row that was not
    /// there begins where another one does.
    pub(super) fn of_all_rows(batch: &[LatentSite], position: &[E]) -> Self {
        let mut layout = Layout { sites: Vec::new(), start: Vec::new() };
        for site in batch {
            let elements: usize = site.plates.iter().map(|plate| plate.rows.len()).product();
            let again = site.plates.iter().map(|plate| {
                let n = plate.rows.len().max(1);
                (n, (0..plate.size).map(|row| row % n).collect())
            });
            let begin = layout.start.len();
            let again = places(again, site.range.len() / elements.max(1));
            layout.start.extend(again.into_iter().map(|at| position[site.range.start + at]));
            let sizes = site.plates.iter().map(|plate| plate.size);
            let dims = sizes.chain(site.dims[site.plates.len()..].iter().copied()).collect();
            let plates = site.plates.iter().map(|plate| SitePlate { rows: Rows::all(plate.size), ..plate.clone() });
            let range = begin..layout.start.len();
            layout.sites.push(LatentSite { dims, range, plates: plates.collect(), ..site.clone() });
        }
        layout
    }
}
