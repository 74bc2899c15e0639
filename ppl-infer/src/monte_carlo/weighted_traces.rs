//! Draws with weights: what importance sampling finds.

use ppl_core::rng::Rng;

use super::resampling::Resampling;
use super::weights::{Estimate, Weights};

/// Draws, by default typed traces of a model, with importance weights. Under the weights they are draws of the posterior;
/// the mean weight is an unbiased estimate of the evidence.
#[derive(Clone, Debug)]
pub struct WeightedTraces<T> {
    traces: Vec<T>,
    weights: Weights,
}

impl<T> WeightedTraces<T> {
    pub(super) fn new(traces: Vec<T>, weights: Weights) -> Self {
        WeightedTraces { traces, weights }
    }

    /// The draws, in order.
    pub fn traces(&self) -> &[T] {
        &self.traces
    }

    /// Their weights.
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// The draws and their normalised weights.
    pub fn iter(&self) -> impl Iterator<Item = (&T, f64)> {
        self.traces.iter().zip(self.weights.log().iter().map(|log| log.exp()))
    }

    /// The log-evidence, and its standard error by the delta method. It means little where k̂ is above 0.7.
    pub fn log_evidence(&self) -> Estimate {
        self.weights.log_mean()
    }

    /// How many draws of the posterior these are worth.
    pub fn ess(&self) -> f64 {
        self.weights.ess()
    }

    /// The Pareto shape k̂ of the largest weights; above 0.7 nothing here is to be trusted.
    pub fn k_hat(&self) -> f64 {
        self.weights.k_hat()
    }

    /// The posterior mean of a function of a draw.
    pub fn expectation(&self, f: impl FnMut(&T) -> f64) -> Estimate {
        self.weights.mean(self.traces.iter().map(f))
    }

    /// So many draws of the posterior, as far as the weighted ones go, each as often as its weight says.
    pub fn resample(&self, scheme: Resampling, count: usize, seed: u64) -> Vec<&T> {
        let chosen = self.weights.resample(scheme, count, &mut Rng::seed(seed));
        chosen.into_iter().map(|i| &self.traces[i]).collect()
    }

    /// The same draws with their largest weights smoothed by a Pareto distribution.
    #[must_use]
    pub fn smoothed(self) -> Self {
        WeightedTraces { weights: self.weights.smoothed(), ..self }
    }
}
