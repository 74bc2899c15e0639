//! The evidence lower bound over whole traces.

use std::sync::atomic::{AtomicBool, Ordering};

use ppl_core::backend::Backend;
use ppl_core::trace::{sum, total};
use ppl_core::{Dtype, Error, Tensor};

use super::Objective;
use super::bound::{drawn, finite_elbo};
use super::decaying_average::DecayingAverage;
use crate::pair::Ask;
use crate::runs::{Each, Runs, Terms};

/// The evidence lower bound, E_q\[log p(x, z) − log q(z)\], estimated by runs of the guide and of the
/// model under it; the loss is its negative.
///
/// Gradients are pathwise where the guide's draws carry them. Sites that have none (discrete ones)
/// are scored: their gradient is ∇ log q(z) · (ELBO − b), with b a decaying average of earlier
/// ELBOs, which lowers the variance and leaves the mean. References: Ranganath, Gerrish and Blei,
/// *Black Box Variational Inference* (AISTATS 2014); Kingma and Welling, *Auto-Encoding Variational
/// Bayes* (ICLR 2014); Pyro's `Trace_ELBO`.
#[derive(Clone, Debug)]
pub struct TraceElbo {
    /// How many runs are averaged, at least one; default 1.
    pub num_particles: u64,
    /// Whether the runs are spread over threads; default no.
    pub parallel: bool,
    /// The baseline of scored sites; one of decay 1 is always 0.
    pub baseline: DecayingAverage,
}

impl Default for TraceElbo {
    fn default() -> Self {
        TraceElbo { num_particles: 1, parallel: false, baseline: DecayingAverage::default() }
    }
}

impl TraceElbo {
    /// The average over several runs.
    ///
    /// # Panics
    /// If there are none.
    #[track_caller]
    pub fn with_particles(num_particles: u64) -> Self {
        let objective = TraceElbo { num_particles, ..Self::default() };
        objective.check();
        objective
    }

    /// The same with its particles spread over threads, which changes no number but by rounding. It pays where
    /// a run is longer than a copy of all parameters' gradients, and its tensors too small for threads of their own.
    #[must_use]
    pub fn in_parallel(self) -> Self {
        TraceElbo { parallel: true, ..self }
    }

    fn each<E: Dtype, D: Backend<E>>(
        &self,
        runs: &mut dyn Runs<E, D>,
        each: Each<'_, E, D>,
    ) -> Result<Terms<E, D>, Error> {
        match self.parallel {
            true => runs.each_pair_in_parallel(self.num_particles, Ask::default(), each),
            false => runs.each_pair(self.num_particles, Ask::default(), each),
        }
    }

    /// # Panics
    /// If there are no particles.
    #[track_caller]
    fn check(&self) {
        assert!(self.num_particles > 0, "TraceElbo needs at least one particle");
    }
}

impl<E: Dtype, D: Backend<E>> Objective<E, D> for TraceElbo {
    fn surrogate(&mut self, runs: &mut dyn Runs<E, D>) -> Result<(f64, Tensor<(), E, D>), Error> {
        self.check();
        let (baseline, scored) = (self.baseline.value(), AtomicBool::new(false));
        let terms = self.each(runs, &|pair| {
            let elbo = finite_elbo(pair)?;
            let (paths, scores): (Vec<_>, Vec<_>) = drawn(pair).partition(|site| site.has_rsample);
            let mut terms = vec![pair.model.log_prob_sum(), -sum(paths.into_iter().map(|site| &site.log_prob))];
            // The density that the value was drawn from has no scale, whatever its plate's.
            let scores: Vec<_> = scores.into_iter().map(|site| &site.log_prob / E::of(site.scale)).collect();
            if !scores.is_empty() {
                scored.store(true, Ordering::Relaxed);
                terms.push(sum(scores.iter()) * E::of(elbo - baseline));
            }
            Ok((elbo, total(terms)))
        })?;
        let mean = terms.numbers.iter().sum::<f64>() / self.num_particles as f64;
        if scored.into_inner() {
            self.baseline.add(mean);
        }
        Ok((-mean, terms.sum * E::of(-1.0 / self.num_particles as f64)))
    }

    fn loss(&self, runs: &mut dyn Runs<E, D>) -> Result<f64, Error> {
        self.check();
        let terms = self.each(runs, &|pair| Ok((finite_elbo(pair)?, Tensor::zeros())))?;
        Ok(-terms.numbers.iter().sum::<f64>() / self.num_particles as f64)
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
