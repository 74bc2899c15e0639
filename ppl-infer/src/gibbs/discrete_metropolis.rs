//! Metropolis–Hastings on discrete sites: a proposal from the prior or among the other values, accepted by the ratio
//! of the densities.

use ppl_core::backend::Backend;
use ppl_core::rng::Rng;
use ppl_core::{Dtype, Error};
use rand::Rng as _;

use super::error::GibbsError;
use super::joint::{Joint, Source};
use super::latent::Latent;
use super::rule::DiscreteMetropolis;
use super::terms::{Question, Terms};

/// A discrete site that is moved by proposals.
#[derive(Clone, Debug)]
pub(super) struct Proposer {
    site: usize,
    rule: DiscreteMetropolis,
    /// Whether elements were found to depend on one another, so that they move one after another.
    pub(super) coupled: bool,
}

/// How many proposals were made, and the sum of their probabilities of acceptance.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Acceptance {
    pub(super) proposals: u32,
    pub(super) sum: f64,
}

impl Proposer {
    pub(super) fn new(site: usize, rule: DiscreteMetropolis) -> Self {
        Proposer { site, rule, coupled: false }
    }

    pub(super) fn site(&self) -> usize {
        self.site
    }

    /// Moves each element of the plates around the site, or leaves it.
    ///
    /// # Errors
    /// Those of the runs; a log-density that is NaN or +∞.
    pub(super) fn step<E: Dtype, D: Backend<E>>(
        &mut self,
        joint: &mut Joint<'_, E, D>,
        rng: &mut Rng,
    ) -> Result<Acceptance, GibbsError> {
        let latents = joint.latents;
        let latent = &latents[self.site];
        if latent.elements * latent.width() == 0 {
            return Ok(Acceptance::default());
        }
        let now = self.run(joint, Source::Held, rng)?;
        let numbers = joint.numbers(self.site)?;
        let proposed = match self.rule {
            DiscreteMetropolis::Prior => self.drawn(joint, rng)?,
            DiscreteMetropolis::Uniform => another(latent, &numbers, &now.supports[0], rng),
        };
        if !self.coupled {
            let moved = self.move_all(joint, &now, &numbers, &proposed, rng)?;
            if let Some(acceptance) = moved {
                return Ok(acceptance);
            }
            self.coupled = true;
        }
        self.move_each(joint, now, numbers, &proposed, rng)
    }

    fn run<E: Dtype, D: Backend<E>>(
        &self,
        joint: &mut Joint<'_, E, D>,
        source: Source<'_>,
        rng: &mut Rng,
    ) -> Result<Terms, GibbsError> {
        let mut sources = joint.held();
        sources[self.site] = source;
        let asked = [self.site];
        let supports: &[usize] = if self.rule == DiscreteMetropolis::Uniform { &asked } else { &[] };
        let terms = Terms::of(joint, self.site, &sources, Question { supports, own: Some(self.site) }, rng)?;
        let log_density = terms.total();
        if log_density.is_nan() || log_density == f64::INFINITY {
            let site = joint.latents[self.site].name.clone();
            return Err(GibbsError::NotANumber { site, value: "as proposed".into(), log_density });
        }
        Ok(terms)
    }

    /// A draw of the site from its distribution, given the sites before it.
    fn drawn<E: Dtype, D: Backend<E>>(&self, joint: &mut Joint<'_, E, D>, rng: &mut Rng) -> Result<Vec<f64>, Error> {
        let mut sources = joint.held();
        sources[self.site] = Source::Drawn;
        let mut numbers = None;
        joint.run(rng, &sources, None, &mut |site, place, _| {
            if place == Some(self.site) {
                numbers = site.value().and_then(|value| value.to_f64s());
            }
            Ok(())
        })?;
        let problem = || "its values are not made of numbers".to_owned();
        numbers.ok_or_else(|| Error::Site { site: joint.latents[self.site].name.clone(), problem: problem() })
    }

    /// The log of the ratio that a proposal is accepted by, from the change of the log-density and the
    /// log-probabilities of both values under the proposal.
    fn log_ratio(&self, change: f64, own: [f64; 2]) -> f64 {
        match self.rule {
            DiscreteMetropolis::Prior => change - (own[1] - own[0]),
            DiscreteMetropolis::Uniform => change,
        }
    }

    /// Judges all elements by one run; `None` if they depend on one another.
    fn move_all<E: Dtype, D: Backend<E>>(
        &self,
        joint: &mut Joint<'_, E, D>,
        now: &Terms,
        numbers: &[f64],
        proposed: &[f64],
        rng: &mut Rng,
    ) -> Result<Option<Acceptance>, GibbsError> {
        let latent = &joint.latents[self.site];
        let (elements, row) = (latent.elements, latent.row());
        let then = self.run(joint, Source::Numbers(proposed), rng)?;
        if elements > 1 && !then.same_outside(now) {
            return Ok(None);
        }
        let (mut acceptance, mut mixed, mut predicted) = (Acceptance::default(), numbers.to_vec(), now.each.clone());
        let change = |element: usize| {
            if elements == 1 { then.total() - now.total() } else { then.each[element] - now.each[element] }
        };
        let mut accepted = 0;
        for (element, predicted) in predicted.iter_mut().enumerate() {
            let place = element * row..(element + 1) * row;
            let ratio = self.log_ratio(change(element), [now.own[element], then.own[element]]);
            if numbers[place.clone()] != proposed[place.clone()] && acceptance.is_accepted(ratio, rng) {
                mixed[place.clone()].copy_from_slice(&proposed[place]);
                *predicted = then.each[element];
                accepted += 1;
            }
        }
        if accepted == 0 {
            return Ok(Some(acceptance));
        }
        // Where all or the only one moved, this is the run from before.
        let end = if accepted == elements { then } else { self.run(joint, Source::Numbers(&mixed), rng)? };
        if elements > 1 && !(end.same_outside(now) && end.are::<E>(&predicted)) {
            return Ok(None);
        }
        joint.values.set(end.typed);
        Ok(Some(acceptance))
    }

    /// Judges one element after another, with a run for each.
    fn move_each<E: Dtype, D: Backend<E>>(
        &self,
        joint: &mut Joint<'_, E, D>,
        mut now: Terms,
        mut numbers: Vec<f64>,
        proposed: &[f64],
        rng: &mut Rng,
    ) -> Result<Acceptance, GibbsError> {
        let row = joint.latents[self.site].row();
        let mut acceptance = Acceptance::default();
        for element in 0..joint.latents[self.site].elements {
            let place = element * row..(element + 1) * row;
            if numbers[place.clone()] == proposed[place.clone()] {
                continue;
            }
            let mut one = numbers.clone();
            one[place.clone()].copy_from_slice(&proposed[place]);
            let then = self.run(joint, Source::Numbers(&one), rng)?;
            let ratio = self.log_ratio(then.total() - now.total(), [now.own[element], then.own[element]]);
            if acceptance.is_accepted(ratio, rng) {
                numbers = one;
                now = then;
                joint.values.set(std::mem::take(&mut now.typed));
            }
        }
        Ok(acceptance)
    }
}

impl Acceptance {
    /// Whether a proposal with this log-ratio is accepted.
    fn is_accepted(&mut self, log_ratio: f64, rng: &mut Rng) -> bool {
        let probability = log_ratio.exp().min(1.0);
        self.proposals += 1;
        self.sum += probability;
        rng.gen_range(0.0..1.0) < probability
    }

    pub(super) fn merge(&mut self, other: Acceptance) {
        self.proposals += other.proposals;
        self.sum += other.sum;
    }
}

/// In each element of the plates, one of the distribution's elements has another one of its values.
fn another(latent: &Latent, numbers: &[f64], support: &[Vec<f64>], rng: &mut Rng) -> Vec<f64> {
    let mut proposed = numbers.to_vec();
    for element in 0..latent.elements {
        let start = element * latent.row() + rng.gen_range(0..latent.width()) * latent.event;
        let cell = start..start + latent.event;
        let others: Vec<&[f64]> =
            support.iter().map(|value| &value[cell.clone()]).filter(|value| *value != &numbers[cell.clone()]).collect();
        if !others.is_empty() {
            proposed[cell].copy_from_slice(others[rng.gen_range(0..others.len())]);
        }
    }
    proposed
}
