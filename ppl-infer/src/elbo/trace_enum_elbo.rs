//! The evidence lower bound with the model's discrete sites summed out.

use ppl_core::backend::Backend;
use ppl_core::site::SiteKind;
use ppl_core::trace::{SiteRecord, Trace, sum, total};
use ppl_core::{Dtype, Error, Tensor};

use super::Objective;
use super::decaying_average::DecayingAverage;
use crate::enumeration::Enumerated;
use crate::runs::Runs;

/// E_q\[ln Σ_d p(x, z, d) − ln q(z)\]: the sites d that the model marks `enumerate` are summed over all their values, exactly,
/// and the guide proposes the others; the loss is its negative.
///
/// The sum is found from runs of the model with all values of the sites that depend on one another: see
/// [`enumeration`](crate::enumeration) for what that costs, and how plates and `markov!` lower it. An enumerated site that the guide
/// samples is drawn by it. Pathwise and scored gradients of z are those of [`TraceElbo`](super::TraceElbo). Reference: Pyro's
/// `TraceEnum_ELBO`; Obermeyer et al. (ICML 2019).
#[derive(Clone, Debug)]
pub struct TraceEnumElbo {
    /// How many runs of the guide are averaged, at least one; default 1.
    pub num_particles: u64,
    /// The baseline of scored sites; one of decay 1 is always 0.
    pub baseline: DecayingAverage,
}

impl Default for TraceEnumElbo {
    fn default() -> Self {
        TraceEnumElbo { num_particles: 1, baseline: DecayingAverage::default() }
    }
}

impl TraceEnumElbo {
    /// The average over several runs of the guide.
    ///
    /// # Panics
    /// If there are none.
    #[track_caller]
    pub fn with_particles(num_particles: u64) -> Self {
        let objective = TraceEnumElbo { num_particles, ..Self::default() };
        objective.check();
        objective
    }

    /// # Panics
    /// If there are no particles.
    #[track_caller]
    fn check(&self) {
        assert!(self.num_particles > 0, "TraceEnumElbo needs at least one particle");
    }
}

/// The guide's sites that were drawn.
fn drawn<E: Dtype, D: Backend<E>>(guide: &Trace<E, D>) -> impl Iterator<Item = &SiteRecord<E, D>> {
    guide.sites().filter(|site| matches!(site.kind, SiteKind::Sample | SiteKind::Auxiliary))
}

/// ln q of a run of the guide.
fn log_q<E: Dtype, D: Backend<E>>(guide: &Trace<E, D>) -> Result<f64, Error> {
    if let Some(problem) = guide.problem() {
        return Err(problem.clone());
    }
    Ok(drawn(guide).map(|site| site.log_prob.item().wide()).sum())
}

impl<E: Dtype, D: Backend<E>> Objective<E, D> for TraceEnumElbo {
    fn surrogate(&mut self, runs: &mut dyn Runs<E, D>) -> Result<(f64, Tensor<(), E, D>), Error> {
        self.check();
        let (mut elbos, mut tensors, mut scored) = (0.0, Vec::new(), false);
        for particle in 0..self.num_particles {
            let (guide, model): (_, Enumerated<E, D>) = runs.enumerated(particle)?;
            let log_q = log_q(&guide)?;
            let (log_p, surrogate) = model.surrogate()?;
            let elbo = log_p - log_q;
            elbos += elbo;
            let (paths, scores): (Vec<_>, Vec<_>) = drawn(&guide).partition(|site| site.has_rsample);
            tensors.extend([surrogate, -sum(paths.into_iter().map(|site| &site.log_prob))]);
            // The density that the value was drawn from has no scale, whatever its plate's.
            let scores: Vec<_> = scores.into_iter().map(|site| &site.log_prob / E::of(site.scale)).collect();
            if !scores.is_empty() {
                scored = true;
                tensors.push(sum(scores.iter()) * E::of(elbo - self.baseline.value()));
            }
        }
        let mean = elbos / self.num_particles as f64;
        if scored {
            self.baseline.add(mean);
        }
        Ok((-mean, total(tensors) * E::of(-1.0 / self.num_particles as f64)))
    }

    fn loss(&self, runs: &mut dyn Runs<E, D>) -> Result<f64, Error> {
        self.check();
        let mut elbos = 0.0;
        for particle in 0..self.num_particles {
            let (guide, model): (_, Enumerated<E, D>) = runs.enumerated(particle)?;
            elbos += model.log_evidence()? - log_q(&guide)?;
        }
        Ok(-elbos / self.num_particles as f64)
    }

    fn state(&self) -> Vec<f64> {
        vec![self.baseline.sum, self.baseline.weight]
    }

    fn set_state(&mut self, state: &[f64]) {
        if let &[sum, weight] = state {
            self.baseline = DecayingAverage { sum, weight, ..self.baseline };
        }
    }
}
