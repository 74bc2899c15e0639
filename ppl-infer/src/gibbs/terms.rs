//! The terms of a log-density by the elements of a site's plates, so that independent elements are judged side by
//! side.

use std::mem;

use ppl_core::autodiff::no_grad;
use ppl_core::backend::Backend;
use ppl_core::rng::Rng;
use ppl_core::site::{SampleSite, SiteMask};
use ppl_core::values::AnyValue;
use ppl_core::{Dtype, Error};

use super::joint::{Joint, Source, changed_value};
use super::latent::{Latent, Plates, plates};

/// What a run says of the elements of a site's plates.
#[derive(Debug, Default)]
pub(super) struct Terms {
    /// The log-density of each element: all sites within the plates.
    pub(super) each: Vec<f64>,
    /// That of each site outside the plates.
    pub(super) outside: Vec<f64>,
    /// The log-probability of each element under the site's own distribution, neither masked nor scaled.
    pub(super) own: Vec<f64>,
    /// The values of the sites that were given others.
    pub(super) typed: Vec<(usize, Box<dyn AnyValue>)>,
    /// The numbers of each possible value of the sites asked for, in their order.
    pub(super) supports: Vec<Vec<Vec<f64>>>,
}

/// What is asked of a run.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Question<'q> {
    /// The sites whose possible values are wanted.
    pub(super) supports: &'q [usize],
    /// The site whose own log-probabilities are wanted.
    pub(super) own: Option<usize>,
}

impl Terms {
    /// Runs the model with these sources, and takes the terms apart by the elements of the plates around a site.
    ///
    /// # Errors
    /// Those of the run.
    pub(super) fn of<E: Dtype, D: Backend<E>>(
        joint: &mut Joint<'_, E, D>,
        of: usize,
        sources: &[Source<'_>],
        question: Question<'_>,
        rng: &mut Rng,
    ) -> Result<Self, Error> {
        let latents = joint.latents;
        let Latent { plates, elements, .. } = &latents[of];
        let mut terms = Terms { each: vec![0.0; *elements], ..Terms::default() };
        no_grad(|| {
            joint.run(rng, sources, None, &mut |site, place, _| {
                terms.add(site, plates);
                if place.is_some() && place == question.own {
                    terms.own = own(site);
                }
                if place.is_some_and(|place| question.supports.contains(&place)) {
                    terms.supports.push(support(site)?);
                }
                terms.typed.extend(changed_value(site, place, sources));
                Ok(())
            })
        })?;
        Ok(terms)
    }

    fn add<E: Dtype, D: Backend<E>>(&mut self, site: &dyn SampleSite<E, D>, around: &Plates) {
        let state = site.state();
        if !state.is_scored() {
            return;
        }
        // Elements are added in f64, whatever they are: a sum of many in f32 would hide what one of them changes.
        let elements: Vec<f64> = site.log_prob_elements().read(|all| all.iter().map(|term| term.wide()).collect());
        if plates(state).starts_with(around) {
            let inner = (elements.len() / self.each.len().max(1)).max(1);
            let sums = elements.chunks(inner).map(|chunk| state.scale * chunk.iter().sum::<f64>());
            self.each.iter_mut().zip(sums).for_each(|(each, sum)| *each += sum);
        } else {
            self.outside.push(state.scale * elements.iter().sum::<f64>());
        }
    }

    /// The log-density of all together.
    pub(super) fn total(&self) -> f64 {
        self.each.iter().chain(&self.outside).sum()
    }

    /// Whether what is outside the plates is the same as in another run.
    pub(super) fn same_outside(&self, other: &Terms) -> bool {
        self.outside == other.outside && self.outside.iter().all(|term| term.is_finite())
    }

    /// Whether the elements have these log-densities, but for rounding.
    pub(super) fn are<E: Dtype>(&self, predicted: &[f64]) -> bool {
        let slack = 64.0 * E::epsilon().wide();
        let near = |a: f64, b: f64| a == b || (a - b).abs() <= slack * (1.0 + a.abs().max(b.abs()));
        self.each.len() == predicted.len() && self.each.iter().zip(predicted).all(|(&a, &b)| near(a, b))
    }
}

/// The log-probability of each element under the site's distribution.
fn own<E: Dtype, D: Backend<E>>(site: &mut dyn SampleSite<E, D>) -> Vec<f64> {
    let mask = mem::replace(&mut site.state_mut().mask, SiteMask::All(true));
    let own = site.log_prob_elements().read(|all| all.iter().map(|term| term.wide()).collect());
    site.state_mut().mask = mask;
    own
}

/// The numbers of each possible value.
fn support<E: Dtype, D: Backend<E>>(site: &dyn SampleSite<E, D>) -> Result<Vec<Vec<f64>>, Error> {
    let problem = || {
        let problem = "it has no longer finitely many values made of numbers, equal for all elements";
        Error::Site { site: site.name().to_owned(), problem: problem.into() }
    };
    let values = site.enumerate_support().ok_or_else(problem)?;
    values.iter().map(|value| value.to_f64s().ok_or_else(problem)).collect()
}
