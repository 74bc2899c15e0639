//! The latent sites of a model: what each is, the plates around it, and the handler that finds them.

use std::sync::Arc;

use ppl_core::backend::Backend;
use ppl_core::handler::Handler;
use ppl_core::plate::Plate;
use ppl_core::site::{SampleSite, SiteState};
use ppl_core::values::AnyValue;
use ppl_core::{Dtype, Error};

use crate::model_density::handler::{check_rows, is_latent, wrong};

/// The vectorised plates around a site, outermost first: name and length.
pub(crate) type Plates = Vec<(Arc<str>, usize)>;

/// A latent site.
#[derive(Clone, Debug)]
pub(crate) struct Latent {
    pub(crate) name: String,
    pub(crate) distribution: &'static str,
    pub(crate) discrete: bool,
    /// Whether it is marked to be summed over.
    pub(crate) enumerate: bool,
    /// How many values one element can have, where there are finitely many.
    pub(crate) support: Option<usize>,
    pub(crate) plates: Plates,
    /// The elements of the plates together.
    pub(crate) elements: usize,
    /// How many numbers a value has; `None` if it is not made of numbers.
    pub(crate) numbers: Option<usize>,
    /// How many numbers one of the distribution's independent elements has.
    pub(crate) event: usize,
}

impl Latent {
    fn of<E: Dtype, D: Backend<E>>(site: &dyn SampleSite<E, D>, value: &dyn AnyValue) -> Self {
        let (dims, support) = (value.dims(), site.support());
        let event = dims.iter().rev().take(support.event_axes()).product();
        let plates = plates(site.state());
        Latent {
            name: site.name().to_owned(),
            distribution: site.distribution(),
            discrete: support.is_discrete(),
            enumerate: site.state().enumerate,
            support: site.enumerate_support().map(|values| values.len()),
            elements: plates.iter().map(|(_, len)| len).product(),
            plates,
            numbers: value.to_f64s().map(|numbers| numbers.len()),
            event,
        }
    }

    /// How many numbers belong to one element of the plates.
    pub(crate) fn row(&self) -> usize {
        self.numbers.unwrap_or(0).checked_div(self.elements).unwrap_or(0)
    }

    /// How many independent elements of the distribution belong to one element of the plates.
    pub(crate) fn width(&self) -> usize {
        self.row().checked_div(self.event).unwrap_or(0)
    }
}

pub(super) fn plates(state: &SiteState) -> Plates {
    state.frames.iter().filter(|frame| !frame.is_loop).map(|frame| (frame.name.clone(), frame.len)).collect()
}

/// Lists the latent sites of a run with their values.
pub(crate) struct FindLatents<'h, E: Dtype, D: Backend<E>> {
    inner: &'h mut dyn Handler<E, D>,
    pub(crate) latents: Vec<Latent>,
    pub(crate) values: Vec<Box<dyn AnyValue>>,
}

impl<'h, E: Dtype, D: Backend<E>> FindLatents<'h, E, D> {
    pub(crate) fn new(inner: &'h mut dyn Handler<E, D>) -> Self {
        FindLatents { inner, latents: Vec::new(), values: Vec::new() }
    }
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for FindLatents<'_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
        self.inner.sample(site);
        if !is_latent(site) {
            return;
        }
        if self.latents.iter().any(|latent| latent.name == site.name()) {
            self.inner.context().report(Error::DuplicateSite(site.name().to_owned()));
        } else if let Some(value) = site.value() {
            self.latents.push(Latent::of(site, value));
            self.values.push(value.detached());
        }
    }

    fn enter_plate(&mut self, plate: &mut Plate) {
        let checked = check_rows(plate);
        self.inner.context().check(checked);
        self.inner.enter_plate(plate);
    }
}

/// The error of a site that comes or goes.
pub(super) fn changed(site: &str, problem: &str) -> Error {
    let rule = "Gibbs sampling needs the same latent sites whatever their values are: sample it in every run, and use \
                it where it is needed";
    wrong(site.to_owned(), &format!("{problem}; {rule}"))
}

/// Whether a name has the form of a pattern, whose `{}` stand for digits.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let Some((before, after)) = pattern.split_once("{}") else { return pattern == name };
    let Some(rest) = name.strip_prefix(before) else { return false };
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    // The digits after a placeholder cannot be told from those in it: the first number is all of it.
    digits > 0 && matches(after, &rest[digits..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_stand_for_all_indices() {
        assert!(matches("z", "z") && !matches("z", "z_1"));
        assert!(matches("z_{}", "z_12") && !matches("z_{}", "z_") && !matches("z_{}", "z_1_2"));
        assert!(matches("step_{}/x_{}_{}", "step_3/x_0_41") && !matches("step_{}/x", "step_3/y"));
    }
}
