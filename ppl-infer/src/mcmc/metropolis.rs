//! Random-walk Metropolis: a normal jump, accepted by the ratio of the densities.

use ppl_core::Dtype;
use ppl_core::rng::Rng;

use super::kernel::{Info, Kernel, State, StepSizeSearch, Tunable};
use super::metric::Metric;
use super::trajectory::{Choices as _, symmetric_acceptance};
use crate::density::LogDensity;

/// The options of [`Metropolis`]: there are none. Aim its warm-up at an acceptance of 0.234.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MetropolisOptions;

/// Random-walk Metropolis: jumps are normal with covariance scale² · M⁻¹ of the metric.
///
/// Metropolis et al., *Equation of State Calculations by Fast Computing Machines* (1953).
#[derive(Clone, Debug)]
pub struct Metropolis<E> {
    scale: f64,
    metric: Metric<E>,
    proposal: Vec<E>,
    gradient: Vec<E>,
}

impl<E: Dtype> Metropolis<E> {
    /// A random walk whose jumps have this scale and metric, whose dimension is the density's.
    pub fn new(scale: f64, metric: Metric<E>) -> Self {
        let zeros = vec![E::of(0.0); metric.dim()];
        Metropolis { scale, metric, proposal: zeros.clone(), gradient: zeros }
    }
}

impl<E: Dtype, D: LogDensity<E>> Kernel<E, D> for Metropolis<E> {
    fn step(&mut self, density: &mut D, state: &mut State<E>, rng: &mut Rng) -> Result<Info<E>, D::Error> {
        self.metric.draw_displacement(rng, &mut self.proposal);
        let scale = E::of(self.scale);
        self.proposal.iter_mut().zip(&state.position).for_each(|(to, &from)| *to = from + scale * *to);
        let log_density = density.evaluate(&self.proposal, &mut self.gradient)?;
        let log_ratio = log_density - state.log_density;
        let ratio = log_ratio.exp().min(1.0);
        // `min` takes NaN for 1: a density that is NaN, or infinite, is not gone to.
        let accept_probability = if log_density.is_finite() { ratio } else { 0.0 };
        if rng.accept(accept_probability) {
            std::mem::swap(&mut state.position, &mut self.proposal);
            std::mem::swap(&mut state.gradient, &mut self.gradient);
            state.log_density = log_density;
        }
        Ok(Info {
            accept_probability,
            symmetric_acceptance: symmetric_acceptance(log_ratio),
            energy: -state.log_density,
            divergence: None,
            depth: 0,
            depth_saturated: false,
            evaluations: 1,
        })
    }
}

impl<E: Dtype, D: LogDensity<E>> Tunable<E, D> for Metropolis<E> {
    fn step_size(&self) -> f64 {
        self.scale
    }

    fn set_step_size(&mut self, step_size: f64) {
        self.scale = step_size;
    }

    fn metric(&self) -> &Metric<E> {
        &self.metric
    }

    fn set_metric(&mut self, metric: Metric<E>) {
        self.metric = metric;
    }

    /// 2.38 / √n, the best scale where the metric is the target's covariance: Roberts, Gelman and Gilks,
    /// *Weak Convergence and Optimal Scaling of Random Walk Metropolis Algorithms* (1997). Nothing is tried.
    fn search_step_size(&mut self, _: &mut D, state: &State<E>, _: &mut Rng) -> Result<StepSizeSearch, D::Error> {
        Ok(StepSizeSearch::Found(2.38 / (state.position.len().max(1) as f64).sqrt()))
    }
}
