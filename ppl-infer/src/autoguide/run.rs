//! The run of a model whose latent sites take their values from a family, and of which nothing else is shown.

use ppl_core::backend::Backend;
use ppl_core::handler::Handler;
use ppl_core::site::{ImageSite, SampleSite};
use ppl_core::{Dtype, Error, Tensor};

use super::family::{Family, Layout, Numbers, Proposal};
use super::rows::rows_of;
use crate::model_density::LatentSite;
use crate::model_density::handler::{is_in_vector, is_latent};

/// Gives latent sites their values, and shows them to the handler inside, with the density of the guide.
pub(super) struct Propose<'h, E: Dtype, D: Backend<E>> {
    inner: &'h mut dyn Handler<E, D>,
    layout: &'h Layout<E>,
    name: &'static str,
    proposal: Option<Proposal<E, D>>,
    met: Vec<bool>,
    failed: bool,
}

impl<'h, E: Dtype, D: Backend<E>> Propose<'h, E, D> {
    pub(super) fn new(
        inner: &'h mut dyn Handler<E, D>,
        layout: &'h Layout<E>,
        family: &'h dyn Family<E, D>,
        name: &'static str,
    ) -> Self {
        // The numbers stand in none of the model's plates.
        let proposal = family.propose(layout, inner);
        let failed = proposal.is_err();
        let proposal = proposal.map_err(|error| inner.context().report(error)).ok();
        Propose { inner, layout, name, proposal, met: vec![false; layout.sites.len()], failed }
    }

    fn propose(&mut self, site: &mut dyn SampleSite<E, D>) -> Result<(), Error> {
        let wrong = |problem: String| Error::Site { site: site.name().to_owned(), problem };
        let Some(proposal) = &self.proposal else { return Ok(()) };
        let place = self.layout.sites.iter().position(|known| known.name == site.name()).ok_or_else(|| {
            wrong(format!(
                "this run of the model samples it, but `{}` was made of one that did not; make the guide with arguments \
                 under which every latent site appears, or write a guide by hand",
                self.name
            ))
        })?;
        let part = &proposal.parts[place];
        give(site, &self.layout.sites[place], part, proposal.jacobians, self.name, self.inner)?;
        self.met[place] = true;
        Ok(())
    }

    /// Reports latent sites that the run did not meet.
    pub(super) fn finish(self) {
        let missed = self.met.iter().position(|met| !met).filter(|_| !self.failed);
        let Some(missed) = missed else { return };
        let problem = format!(
            "this run of the model did not sample it, but `{}` was made of one that did; an autoguide needs the same latent \
             sites in every run",
            self.name
        );
        let site = self.layout.sites[missed].name.clone();
        self.inner.context().report(Error::Site { site, problem });
    }
}

/// Gives a latent site the value of a family's numbers, and shows it to the handler inside with the density of the guide.
///
/// # Errors
/// A site of another size or in other plates than when the guide was made; a loop over some of its elements.
pub(super) fn give<E: Dtype, D: Backend<E>>(
    site: &mut dyn SampleSite<E, D>,
    known: &LatentSite,
    numbers: &Numbers<E, D>,
    jacobian: bool,
    guide: &'static str,
    inner: &mut dyn Handler<E, D>,
) -> Result<(), Error> {
    // Each element of a loop has a site of its own, so that some would be missing.
    if let Some(partial) = site.state().frames.iter().find(|frame| frame.is_loop && frame.len < frame.size) {
        let problem = format!(
            "it is a loop over {} of its {} elements in this run, and the latent site `{}` is in it: `{guide}` needs the same \
             sites in every run; give the loop all elements, or make it a plate with a closure, whose rows may differ",
            partial.len,
            partial.size,
            site.name(),
        );
        return Err(Error::Plate { plate: partial.name.to_string(), problem });
    }
    let rows = rows_of(known, site, inner.context())?;
    let (found, expected) = (site.unconstrained_len()?, rows.as_ref().map_or(known.range.len(), Vec::len));
    if found != expected {
        let problem = format!(
            "it has {found} unconstrained numbers in this run, but {expected} when the guide was made; `{guide}` needs latent \
             sites of constant size"
        );
        return Err(Error::Site { site: site.name().to_owned(), problem });
    }
    // What is drawn for some rows stands for all of them, as in the model.
    let scale: f64 = site.state().frames.iter().map(|frame| frame.scale()).product();
    let numbers = numbers.at(rows.as_deref(), scale, inner)?;
    let log_det = site.set_unconstrained(&numbers)?.filter(|_| jacobian);
    let log_density = log_det.map_or_else(Tensor::zeros, |log_det| log_det * E::of(-scale));
    inner.sample(&mut ImageSite::new(site, log_density, guide));
    Ok(())
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for Propose<'_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    /// What is not latent has its value, and is not the guide's to show; after an error the prior draws.
    fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
        if is_latent(site) && site.state().enumerate && !site.has_value() {
            // Others sum over it.
            site.draw(&mut self.inner.context().rng);
        }
        if !is_in_vector(site) {
            return;
        }
        let proposed = if self.failed { Ok(()) } else { self.propose(site) };
        self.failed |= proposed.is_err();
        self.inner.context().check(proposed);
        if !site.has_value() {
            site.draw(&mut self.inner.context().rng);
        }
    }
}
