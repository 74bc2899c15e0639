//! The evidence lower bound with discrete sites summed out.

use ppl_core::backend::Backend;
use ppl_core::trace::total;
use ppl_core::{Dtype, Error, Tensor};

use super::Objective;
use super::decaying_average::DecayingAverage;
use crate::runs::Runs;

/// E_q\[ln Σ_d p(x, z, d) − ln q(z)\]: the sites d that the model marks `enumerate` are summed over all their values, exactly,
/// and the guide proposes the others; the loss is its negative. Over sites that the guide marks `enumerate` the expectation is
/// exact too: the sum over all their values, each with its probability.
///
/// The sum is found from runs of the model with all values of the sites that depend on one another: see
/// [`enumeration`](crate::enumeration) for what that costs, and how plates and `markov!` lower it. A site that the model marks
/// and the guide samples is the guide's. Pathwise and scored gradients of z are those of [`TraceElbo`](super::TraceElbo). Reference: Pyro's
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

impl<E: Dtype, D: Backend<E>> Objective<E, D> for TraceEnumElbo {
    fn surrogate(&mut self, runs: &mut dyn Runs<E, D>) -> Result<(f64, Tensor<(), E, D>), Error> {
        self.check();
        let (mut elbos, mut tensors, mut scored) = (0.0, Vec::new(), false);
        for particle in 0..self.num_particles {
            let elbo = runs.enumerated(particle)?.elbo()?;
            elbos += elbo.value;
            tensors.push(elbo.surrogate);
            if let Some(scores) = elbo.scores {
                scored = true;
                tensors.push(scores * E::of(elbo.value - self.baseline.value()));
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
            elbos += runs.enumerated(particle)?.elbo()?.value;
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
