//! What the value of a guide's site can change: terms of the bound that come after it, in its own plate elements.

use std::collections::BTreeMap;
use std::sync::Arc;

use ppl_core::Dtype;
use ppl_core::backend::Backend;
use ppl_core::plate::Frames;
use ppl_core::site::SiteKind;
use ppl_core::trace::SiteRecord;

use super::bound::drawn;
use crate::pair::Pair;

/// A vectorised plate around a site: its name, and how many of its elements are in the run.
type Axis = (Arc<str>, usize);

/// One term of the bound, by plate element.
struct Term {
    axes: Vec<Axis>,
    /// Scaled, row-major over the axes.
    values: Vec<f64>,
    /// The last site of the guide, in the order of the run, that the term can depend on.
    last: usize,
}

/// The terms of the bound of one pair.
///
/// What is relied on: a distribution depends on nothing that comes later in its run; and an element of a plate
/// depends on no other element of it, but by way of a draw outside the plate.
pub(super) struct Downstream {
    terms: Vec<Term>,
    /// The plates of the guide's draws, in the order of the run.
    drawn: Vec<Vec<Axis>>,
}

impl Downstream {
    /// The terms of a pair whose records keep elements.
    pub(super) fn of<E: Dtype, D: Backend<E>>(pair: &Pair<E, D>) -> Self {
        let (mut terms, mut places, mut plates) = (Vec::new(), BTreeMap::new(), Vec::new());
        for (place, site) in drawn(pair).enumerate() {
            places.insert(site.address.as_str(), place);
            plates.push(axes(&site.frames));
            terms.push(Term::of(site, -1.0, place));
        }
        let mut last = None;
        for site in pair.model.sites() {
            if site.is_latent() {
                last = last.max(places.get(site.address.as_str()).copied());
            }
            if let Some(last) = last.filter(|_| !matches!(site.kind, SiteKind::Deterministic | SiteKind::Intervened)) {
                terms.push(Term::of(site, 1.0, last));
            }
        }
        Downstream { terms, drawn: plates }
    }

    /// For each plate element of the guide's draw at this place, the sum of all terms that it can change.
    pub(super) fn cost(&self, place: usize) -> Vec<f64> {
        let site = &self.drawn[place];
        let mut cost = vec![0.0; site.iter().map(|(_, len)| len).product()];
        for term in self.terms.iter().filter(|term| term.last >= place) {
            let common: Vec<&Axis> = site
                .iter()
                .filter(|axis| term.axes.contains(axis) && self.keeps_apart(axis, place, term.last))
                .collect();
            let mut sums = vec![0.0; common.iter().map(|(_, len)| len).product()];
            let (from, to) = (Strides::of(&term.axes, &common), Strides::of(site, &common));
            term.values.iter().enumerate().for_each(|(i, value)| sums[from.at(i)] += value);
            cost.iter_mut().enumerate().for_each(|(i, cost)| *cost += sums[to.at(i)]);
        }
        cost
    }

    /// Whether no draw outside the plate, after the one at `place` and up to `last`, can carry what one element
    /// draws to the others.
    fn keeps_apart(&self, plate: &Axis, place: usize, last: usize) -> bool {
        self.drawn[place + 1..=last.max(place)].iter().all(|later| later.contains(plate))
    }
}

impl Term {
    fn of<E: Dtype, D: Backend<E>>(site: &SiteRecord<E, D>, sign: f64, last: usize) -> Self {
        let elements = site.elements.as_ref().map(|elements| elements.to_vec()).unwrap_or_default();
        let values = elements.into_iter().map(|value| sign * site.scale * value.wide()).collect();
        Term { axes: axes(&site.frames), values, last }
    }
}

fn axes(frames: &Frames) -> Vec<Axis> {
    frames.iter().filter(|frame| !frame.is_loop).map(|frame| (frame.name.clone(), frame.len)).collect()
}

/// Sizes of axes, and how far each moves among the common ones.
struct Strides(Vec<(usize, usize)>);

impl Strides {
    fn of(axes: &[Axis], common: &[&Axis]) -> Self {
        let stride = |axis: &Axis| {
            let at = common.iter().position(|other| *other == axis);
            at.map_or(0, |at| common[at + 1..].iter().map(|(_, len)| len).product())
        };
        Strides(axes.iter().map(|axis| (axis.1, stride(axis))).collect())
    }

    /// The common position of a position.
    fn at(&self, mut position: usize) -> usize {
        let mut common = 0;
        for &(len, stride) in self.0.iter().rev() {
            common += position % len * stride;
            position /= len;
        }
        common
    }
}
