//! A run in which enumerated sites have given values, and what it leaves of each statement.

use std::collections::HashMap;

use ppl_core::backend::Backend;
use ppl_core::handler::Handler;
use ppl_core::plate::{Frame, Frames, Steps};
use ppl_core::rng::Rng;
use ppl_core::site::{SampleSite, SiteKind, SiteMask, SiteState};
use ppl_core::{Dtype, Error, Tensor};
use rand::RngCore;

/// Whose statement it is, or whose run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The guide's.
    Guide,
    /// The model's.
    Model,
}

/// Where a statement stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) frames: Frames,
    pub(super) steps: Steps,
}

impl Place {
    fn of(state: &SiteState) -> Self {
        Place { frames: state.frames.clone(), steps: state.steps.clone() }
    }

    /// Whether a later statement sees a variable here: it stands in all its plates, and in no later step of a chain
    /// than its history allows (which the caller has seen to).
    pub(super) fn is_seen_from(&self, later: &Place) -> bool {
        self.frames.iter().all(|frame| later.frames.iter().any(|other| same(frame, other)))
    }
}

fn same(one: &Frame, other: &Frame) -> bool {
    one.name == other.name && one.is_loop == other.is_loop && (!one.is_loop || one.at == other.at)
}

/// What a run leaves of a statement.
#[derive(Clone, Debug)]
pub(super) struct Record<E: Dtype, D: Backend<E>> {
    pub(super) side: Side,
    pub(super) name: String,
    pub(super) place: Place,
    /// Whether it is a sample statement whose value inference must find.
    pub(super) latent: bool,
    /// Whether nobody gave it a value, so that it was drawn.
    pub(super) drawn: bool,
    /// Whether its value is data.
    pub(super) observed: bool,
    /// Whether it is a random variable.
    pub(super) random: bool,
    /// Whether draws carry pathwise gradients.
    pub(super) has_rsample: bool,
    /// Of an enumerated one, how many values it has in this run.
    pub(super) cardinality: Option<usize>,
    /// Whether the value that was asked for is one of them.
    pub(super) possible: bool,
    /// The log-density of each element of the plates around it.
    pub(super) elements: Tensor<(usize,), E, D>,
    /// What they are multiplied by beside the plates' scales.
    pub(super) weight: f64,
    /// Which elements count.
    pub(super) mask: SiteMask,
}

/// The value, by number, of each enumerated site; others have the first.
pub(super) type Assignment = HashMap<String, usize>;

/// Gives enumerated sites their values, and keeps what each statement adds to the log-density.
pub(super) struct Enumerate<'h, E: Dtype, D: Backend<E>> {
    inner: &'h mut dyn Handler<E, D>,
    assignment: &'h Assignment,
    side: Side,
    /// Of the draws: a stream by name, so that no site's draw depends on what another one's took.
    seed: u64,
    pub(super) records: Vec<Record<E, D>>,
}

impl<'h, E: Dtype, D: Backend<E>> Enumerate<'h, E, D> {
    pub(super) fn new(inner: &'h mut dyn Handler<E, D>, side: Side, assignment: &'h Assignment) -> Self {
        let seed = inner.context().rng.next_u64();
        Enumerate { inner, assignment, side, seed, records: Vec::new() }
    }

    /// How many values the site has, and whether it has the one that was asked for; it has a value then.
    fn assign(&mut self, site: &mut dyn SampleSite<E, D>) -> Result<(usize, bool), Error> {
        let wrong =
            |site: &dyn SampleSite<E, D>, problem: String| Err(Error::Site { site: site.name().to_owned(), problem });
        let Some(values) = site.enumerate_support().filter(|values| !values.is_empty()) else {
            let distribution = site.distribution();
            let problem = format!(
                "{distribution} has no finite list of values, so that it cannot be enumerated; leave `enumerate` out, and \
                 sample it in the guide"
            );
            return wrong(site, problem);
        };
        let dims = values[0].dims();
        let batch: usize = dims[..dims.len().saturating_sub(site.support().event_axes())].iter().product();
        if batch != site.state().plate_elements() {
            let problem = format!(
                "its distribution has {batch} elements, but the plates around it {}; an enumerated site needs a plate for each \
                 axis of its batch",
                site.state().plate_elements()
            );
            return wrong(site, problem);
        }
        let asked = self.assignment.get(site.name()).copied().unwrap_or(0);
        site.set_value(&*values[asked.min(values.len() - 1)], "enumerate")?;
        Ok((values.len(), asked < values.len()))
    }
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for Enumerate<'_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
        let given = site.has_value();
        let enumerates = site.state().enumerate && site.state().is_random() && !given;
        let assigned = if enumerates { self.assign(site).map(Some) } else { Ok(None) };
        let assigned = assigned.unwrap_or_else(|error| {
            self.inner.context().report(error);
            None
        });
        if site.state().is_random() && !site.has_value() {
            site.draw(&mut Rng::named(self.seed, site.name()));
        }
        self.inner.sample(site);
        let state = site.state();
        if !state.is_scored() {
            return;
        }
        let plates: f64 = state.frames.iter().map(|frame| frame.scale()).product();
        self.records.push(Record {
            side: self.side,
            random: state.is_random(),
            has_rsample: site.has_rsample(),
            name: site.name().to_owned(),
            place: Place::of(state),
            latent: state.kind == SiteKind::Sample && !state.observed && assigned.is_none(),
            drawn: state.is_random() && !given && assigned.is_none(),
            observed: state.observed,
            cardinality: assigned.map(|(cardinality, _)| cardinality),
            possible: assigned.is_none_or(|(_, possible)| possible),
            elements: site.log_prob_elements(),
            weight: state.scale / plates,
            mask: state.mask.clone(),
        });
    }
}
