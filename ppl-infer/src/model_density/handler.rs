//! The handlers that find latent sites, give them values out of a vector, and take their values into one.

use ppl_core::autodiff::is_recording;
use ppl_core::backend::Backend;
use ppl_core::handler::{Context, Handler};
use ppl_core::plate::{Frame, Plate, PlateRows, Rows};
use ppl_core::rng::Rng;
use ppl_core::site::{SampleSite, SiteState};
use ppl_core::transform::Flat;
use ppl_core::values::ValueMap;
use ppl_core::{Dtype, Error, Tensor};
use rand::seq::index;

use super::{LatentSite, SitePlate};

/// Whether a site's value is to be found.
pub(crate) fn is_latent<E: Dtype, D: Backend<E>>(site: &dyn SampleSite<E, D>) -> bool {
    !site.is_observed() && site.state().is_random()
}

/// Whether a site is one of the vector's: its value is to be found, and not summed over.
pub(crate) fn is_in_vector<E: Dtype, D: Backend<E>>(site: &dyn SampleSite<E, D>) -> bool {
    is_latent(site) && !site.state().enumerate
}

/// Collects the latent sites; their values are the images of zeros.
pub(super) struct Find<'h, E: Dtype, D: Backend<E>> {
    inner: &'h mut dyn Handler<E, D>,
    pub(super) sites: Vec<LatentSite>,
    /// Whether there are sites to be summed over.
    pub(super) enumerates: bool,
}

impl<'h, E: Dtype, D: Backend<E>> Find<'h, E, D> {
    pub(super) fn new(inner: &'h mut dyn Handler<E, D>) -> Self {
        Find { inner, sites: Vec::new(), enumerates: false }
    }

    fn add(&mut self, site: &mut dyn SampleSite<E, D>) -> Result<(), Error> {
        let name = site.name().to_owned();
        if self.sites.iter().any(|found| found.name == name) {
            return Err(wrong(name, "it is sampled twice in one run; give each its own name or index"));
        }
        let (start, len) = (self.sites.last().map_or(0, |last| last.range.end), site.unconstrained_len()?);
        site.set_unconstrained(&Tensor::full_like(E::of(0.0), (len,)))?;
        let dims = site.value().map_or(Vec::new(), |value| value.dims());
        let (distribution, plates) = (site.distribution(), plates_around(site.state(), self.inner.context()));
        self.sites.push(LatentSite { name, distribution, dims, range: start..start + len, plates });
        Ok(())
    }
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for Find<'_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
        if is_in_vector(site) {
            let added = self.add(site);
            self.inner.context().check(added);
        }
        self.enumerates |= is_latent(site) && site.state().enumerate;
        self.inner.sample(site);
    }
}

/// Says what becomes of plates that draw a subsample: an error, or the same rows in every run.
pub(super) struct Batch<'h, E: Dtype, D: Backend<E>> {
    pub(super) inner: &'h mut dyn Handler<E, D>,
    /// Whether there may be any.
    pub(super) subsamples: bool,
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for Batch<'_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    fn enter_plate(&mut self, plate: &mut Plate) {
        match plate.ask {
            PlateRows::Subsample(n) if self.subsamples && plate.rows.is_none() && n <= plate.size => {
                let mut rng = Rng::named(0, plate.address.as_str());
                plate.rows = Some(Rows::some(index::sample(&mut rng, plate.size, n).into_vec()));
            }
            _ => {
                let checked = check_rows(plate);
                self.inner.context().check(checked);
            }
        }
        self.inner.enter_plate(plate);
    }
}

/// The vectorised plates around a site, with the rows of this run.
pub(crate) fn plates_around(state: &SiteState, context: &Context) -> Vec<SitePlate> {
    let vectorised = state.frames.iter().filter(|frame| !frame.is_loop);
    let plate = |frame: &Frame| {
        let rows = context.rows(&frame.name).cloned().unwrap_or_else(|| Rows::all(frame.len));
        SitePlate { name: frame.name.clone(), size: frame.size, rows }
    };
    vectorised.map(plate).collect()
}

/// # Errors
/// If the plate draws a subsample.
pub(crate) fn check_rows(plate: &Plate) -> Result<(), Error> {
    if plate.rows.is_none() && matches!(plate.ask, PlateRows::Subsample(n) if n < plate.size) {
        let problem = "it draws a subsample, so that the density would be another one in each run; give it all rows";
        return Err(Error::Plate { plate: plate.address.to_string(), problem: problem.into() });
    }
    Ok(())
}

/// Gives latent sites the images of a vector's numbers, and collects all terms of the log-density.
pub(super) struct Put<'h, E: Dtype, D: Backend<E>> {
    inner: &'h mut dyn Handler<E, D>,
    sites: &'h [LatentSite],
    position: &'h [E],
    /// The numbers of each site, once it has been met: each a leaf of differentiation under a recorder.
    pub(super) leaves: Vec<Option<Flat<E, D>>>,
    met: Vec<bool>,
    /// The site that is met next if the order is the same as before.
    next: usize,
    /// Whether log-densities are wanted.
    scores: bool,
    pub(super) terms: Vec<Tensor<(), E, D>>,
    /// The value of each site's Jacobian, by its place; only of runs without scores.
    pub(super) jacobians: Vec<(usize, f64)>,
}

impl<'h, E: Dtype, D: Backend<E>> Put<'h, E, D> {
    pub(super) fn new(inner: &'h mut dyn Handler<E, D>, sites: &'h [LatentSite], position: &'h [E]) -> Self {
        Put {
            inner,
            sites,
            position,
            leaves: vec![None; sites.len()],
            met: vec![false; sites.len()],
            next: 0,
            scores: true,
            terms: Vec::with_capacity(2 * sites.len() + 1),
            jacobians: Vec::new(),
        }
    }

    /// Gives values and finds no log-densities.
    pub(super) fn silent(inner: &'h mut dyn Handler<E, D>, sites: &'h [LatentSite], position: &'h [E]) -> Self {
        Put { scores: false, ..Put::new(inner, sites, position) }
    }

    /// Gives values, with these leaves where there are any, and collects the Jacobians alone.
    pub(super) fn again(
        inner: &'h mut dyn Handler<E, D>,
        sites: &'h [LatentSite],
        position: &'h [E],
        leaves: Vec<Option<Flat<E, D>>>,
    ) -> Self {
        Put { leaves, ..Put::silent(inner, sites, position) }
    }

    /// # Errors
    /// If the run left out a site.
    pub(super) fn check_complete(&self) -> Result<(), Error> {
        match self.met.iter().position(|met| !met) {
            Some(missed) => {
                Err(changed(self.sites[missed].name.clone(), "this run did not sample it, but an earlier one did"))
            }
            None => Ok(()),
        }
    }

    fn place(&mut self, name: &str) -> Result<usize, Error> {
        let expected = self.sites.get(self.next).filter(|site| site.name == name).map(|_| self.next);
        let found = expected.or_else(|| self.sites.iter().position(|site| site.name == name));
        let place = found.ok_or_else(|| changed(name.to_owned(), "this run samples it, but an earlier one did not"))?;
        self.next = place + 1;
        if std::mem::replace(&mut self.met[place], true) {
            return Err(wrong(name.to_owned(), "it is sampled twice in one run; give each its own name or index"));
        }
        Ok(place)
    }

    fn put(&mut self, site: &mut dyn SampleSite<E, D>) -> Result<(), Error> {
        let place = self.place(site.name())?;
        let leaf = self.leaves[place].get_or_insert_with(|| {
            let numbers = Tensor::vector(self.position[self.sites[place].range.clone()].to_vec());
            if is_recording() { numbers.tracked() } else { numbers }
        });
        if let Some(log_det) = site.set_unconstrained(leaf)? {
            if !self.scores {
                self.jacobians.push((place, log_det.item().wide()));
            }
            self.terms.push(log_det);
        }
        Ok(())
    }
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for Put<'_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
        if is_in_vector(site) {
            let put = self.put(site);
            self.inner.context().check(put);
        }
        self.inner.sample(site);
        if self.scores && site.state().is_scored() {
            self.terms.push(site.log_prob_sum());
        }
    }
}

/// Takes latent values into a vector.
pub(super) struct Take<'h, E: Dtype, D: Backend<E>> {
    inner: &'h mut dyn Handler<E, D>,
    values: &'h ValueMap,
    pub(super) position: Vec<E>,
}

impl<'h, E: Dtype, D: Backend<E>> Take<'h, E, D> {
    pub(super) fn new(inner: &'h mut dyn Handler<E, D>, values: &'h ValueMap) -> Self {
        Take { inner, values, position: Vec::new() }
    }

    fn take(&mut self, site: &mut dyn SampleSite<E, D>) -> Result<(), Error> {
        let Some(value) = self.values.get(site.name()) else {
            return Err(wrong(site.name().to_owned(), "no value was given"));
        };
        site.set_value(value, "position")?;
        self.position.extend(site.unconstrained()?.to_vec());
        Ok(())
    }
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for Take<'_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
        if is_in_vector(site) {
            let taken = self.take(site);
            self.inner.context().check(taken);
        }
        self.inner.sample(site);
    }
}

pub(crate) fn wrong(site: String, problem: &str) -> Error {
    Error::Site { site, problem: problem.into() }
}

/// The error of a site that comes or goes.
fn changed(site: String, problem: &str) -> Error {
    let rule = "a density over a vector needs the same latent sites in every run";
    Error::Site { site, problem: format!("{problem}; {rule}") }
}
