//! Rényi's bound of the evidence, of which the importance-weighted bound is a case.

use ppl_core::backend::Backend;
use ppl_core::trace::{sum, total};
use ppl_core::{Dtype, Error, Tensor};

use super::Objective;
use super::bound::{check_pathwise, drawn, finite_elbo};
use super::weights::{ln_mean_exp, normalized};
use crate::pair::{Ask, Pair};
use crate::runs::Runs;

/// Rényi's bound of the evidence from K runs with importance weights w = p(x, z) / q(z):
/// ln(1/K · Σ w^(1−α)) / (1 − α); the loss is its negative.
///
/// α = 0 is the importance-weighted bound (IWAE), which grows with K towards the evidence. The bound's mean falls
/// with α; below 0 it can exceed the evidence. As α → 1 it becomes the evidence lower bound, which is
/// [`TraceElbo`](super::TraceElbo).
///
/// Gradients are pathwise where the guide's draws carry them. Of other sites every run is scored by the bound less
/// what it would be if its weight were the geometric mean of the others', which leaves the gradient's mean
/// (Mnih and Rezende, *Variational Inference for Monte Carlo Objectives*, ICML 2016); a single run has no others
/// and is scored by the bound. References: Li and Turner, *Rényi Divergence Variational Inference* (NIPS 2016);
/// Burda, Grosse and Salakhutdinov, *Importance Weighted Autoencoders* (ICLR 2016).
#[derive(Clone, Debug)]
pub struct RenyiElbo {
    /// The order α: finite, and not 1; default 0.
    pub alpha: f64,
    /// The number K of runs, at least one; default 2.
    pub num_particles: u64,
    /// Whether α = 0 uses the doubly reparameterised gradient, whose signal to noise ratio for the guide does not
    /// fall with K. It runs guide and model twice, and every draw of the guide must be pathwise; default no.
    /// Reference: Tucker, Lawson, Gu and Maddison, *Doubly Reparameterized Gradient Estimators for Monte Carlo
    /// Objectives* (ICLR 2019).
    pub doubly_reparameterized: bool,
}

impl Default for RenyiElbo {
    fn default() -> Self {
        RenyiElbo { alpha: 0.0, num_particles: 2, doubly_reparameterized: false }
    }
}

impl RenyiElbo {
    /// The bound of this order from so many runs.
    ///
    /// # Panics
    /// If `alpha` is 1 or not finite, or there are no runs.
    #[track_caller]
    pub fn new(alpha: f64, num_particles: u64) -> Self {
        let objective = RenyiElbo { alpha, num_particles, ..Self::default() };
        objective.check();
        objective
    }

    /// The importance-weighted bound: α = 0.
    ///
    /// # Panics
    /// If there are no runs.
    #[track_caller]
    pub fn importance_weighted(num_particles: u64) -> Self {
        Self::new(0.0, num_particles)
    }

    /// [`RenyiElbo::doubly_reparameterized`].
    ///
    /// # Panics
    /// If α is not 0.
    #[must_use]
    #[track_caller]
    pub fn doubly_reparameterized(self) -> Self {
        let objective = RenyiElbo { doubly_reparameterized: true, ..self };
        objective.check();
        objective
    }

    /// # Panics
    /// As [`RenyiElbo::new`] and [`RenyiElbo::doubly_reparameterized`].
    #[track_caller]
    fn check(&self) {
        let alpha = self.alpha;
        assert!(alpha != 1.0, "RenyiElbo of order 1 is the evidence lower bound; use TraceElbo");
        assert!(alpha.is_finite(), "RenyiElbo needs a finite order, but it is {alpha}");
        assert!(self.num_particles > 0, "RenyiElbo needs at least one particle");
        let fits = !self.doubly_reparameterized || alpha == 0.0;
        assert!(fits, "the doubly reparameterised gradient needs the order of RenyiElbo to be 0, but it is {alpha}");
    }

    fn powers(&self, ln_weights: &[f64]) -> Vec<f64> {
        ln_weights.iter().map(|ln_weight| (1.0 - self.alpha) * ln_weight).collect()
    }

    fn bound(&self, ln_weights: &[f64]) -> f64 {
        ln_mean_exp(&self.powers(ln_weights)) / (1.0 - self.alpha)
    }

    /// What the bound would be without what is special of each run.
    fn leave_one_out(&self, ln_weights: &[f64]) -> Vec<f64> {
        let count = ln_weights.len();
        if count == 1 {
            return vec![0.0];
        }
        let sum: f64 = ln_weights.iter().sum();
        let mut others = ln_weights.to_vec();
        let mut baseline = |at: usize| {
            others[at] = (sum - ln_weights[at]) / (count - 1) as f64;
            let bound = self.bound(&others);
            others[at] = ln_weights[at];
            bound
        };
        (0..count).map(&mut baseline).collect()
    }
}

impl<E: Dtype, D: Backend<E>> Objective<E, D> for RenyiElbo {
    fn surrogate(&mut self, runs: &mut dyn Runs<E, D>) -> Result<(f64, Tensor<(), E, D>), Error> {
        self.check();
        let pairs = pairs(runs, self.num_particles)?;
        let ln_weights = pairs.iter().map(finite_elbo).collect::<Result<Vec<f64>, Error>>()?;
        let bound = self.bound(&ln_weights);
        let weights = normalized(&self.powers(&ln_weights));
        let baselines = self.leave_one_out(&ln_weights);
        let mut terms = Vec::new();
        for (particle, (pair, weight)) in pairs.iter().zip(weights).enumerate() {
            if self.doubly_reparameterized {
                check_pathwise(pair, "the doubly reparameterised gradient", "leave the option out")?;
                let constant = runs.pair(particle as u64, Ask { detached: true, ..Ask::default() })?;
                terms.push(ln_weight(pair) * E::of(weight * weight));
                terms.push(ln_weight(&constant) * E::of(-weight * weight));
                terms.push(constant.model.log_prob_sum() * E::of(weight));
                continue;
            }
            terms.push(ln_weight(pair) * E::of(weight));
            // The density that a value was drawn from has no scale, whatever its plate's.
            let scores: Vec<_> =
                drawn(pair).filter(|site| !site.has_rsample).map(|site| &site.log_prob / E::of(site.scale)).collect();
            if !scores.is_empty() {
                terms.push(sum(scores.iter()) * E::of(bound - baselines[particle]));
            }
        }
        Ok((-bound, -total(terms)))
    }

    fn loss(&self, runs: &mut dyn Runs<E, D>) -> Result<f64, Error> {
        self.check();
        let ln_weights = (0..self.num_particles)
            .map(|particle| finite_elbo(&runs.pair(particle, Ask::default())?))
            .collect::<Result<Vec<f64>, Error>>()?;
        Ok(-self.bound(&ln_weights))
    }
}

fn pairs<E: Dtype, D: Backend<E>>(runs: &mut dyn Runs<E, D>, count: u64) -> Result<Vec<Pair<E, D>>, Error> {
    (0..count).map(|particle| runs.pair(particle, Ask::default())).collect()
}

/// The logarithm of a run's importance weight.
fn ln_weight<E: Dtype, D: Backend<E>>(pair: &Pair<E, D>) -> Tensor<(), E, D> {
    pair.model.log_prob_sum() - sum(drawn(pair).map(|site| &site.log_prob))
}
