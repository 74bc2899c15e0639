//! The tail-adaptive f-divergence: runs weighed by the ranks of their importance weights.

use ppl_core::backend::Backend;
use ppl_core::trace::{sum, total};
use ppl_core::{Dtype, Error, Tensor};

use super::Objective;
use super::bound::{check_pathwise, drawn, finite_elbo};
use crate::pair::{Ask, Pair};
use crate::runs::Runs;

/// The tail-adaptive f-divergence. Of n runs with importance weights w = p(x, z) / q(z), each follows the path of
/// ln w with the weight (share of runs whose w is no less)^β, normalised. So runs in the tail of w count more, as
/// in divergences that cover the mass, but never without bound: ranks are bounded where weights are not.
///
/// The guide's gradient flows through its draws alone, so all of them must be pathwise. A parameter of the model
/// follows ln p by the same weights, which maximise no bound of the evidence: learn the model by another objective.
/// The loss is −ln w, averaged by the same weights: no divergence, but a number to watch.
/// It runs guide and model twice. Reference: Wang, Liu and Liu, *Variational Inference with Tail-adaptive
/// f-Divergence* (NeurIPS 2018), algorithm 1.
#[derive(Clone, Debug)]
pub struct TailAdaptive {
    /// The power β of the tail's share, at most 0; default −1. With 0 all runs count alike.
    pub beta: f64,
    /// The number n of runs, at least two; default 16.
    pub num_particles: u64,
}

impl Default for TailAdaptive {
    fn default() -> Self {
        TailAdaptive { beta: -1.0, num_particles: 16 }
    }
}

impl TailAdaptive {
    /// Weights by ranks among so many runs, with β = −1.
    ///
    /// # Panics
    /// If there are fewer than two.
    #[track_caller]
    pub fn with_particles(num_particles: u64) -> Self {
        let objective = TailAdaptive { num_particles, ..Self::default() };
        objective.check();
        objective
    }

    #[track_caller]
    fn check(&self) {
        assert!(self.num_particles > 1, "TailAdaptive ranks particles, and needs at least two");
        let beta = self.beta;
        assert!(
            beta <= 0.0 && beta.is_finite(),
            "the power β of TailAdaptive is finite and at most 0, but it is {beta}"
        );
    }

    /// The weight of each run.
    fn weights(&self, ln_weights: &[f64]) -> Vec<f64> {
        let mut sorted = ln_weights.to_vec();
        sorted.sort_by(f64::total_cmp);
        let no_less = |x: f64| (sorted.len() - sorted.partition_point(|&other| other < x)) as f64;
        let powers: Vec<f64> = ln_weights.iter().map(|&x| (no_less(x) / sorted.len() as f64).powf(self.beta)).collect();
        let sum: f64 = powers.iter().sum();
        powers.into_iter().map(|power| power / sum).collect()
    }
}

impl<E: Dtype, D: Backend<E>> Objective<E, D> for TailAdaptive {
    fn surrogate(&mut self, runs: &mut dyn Runs<E, D>) -> Result<(f64, Tensor<(), E, D>), Error> {
        self.check();
        let pairs: Vec<Pair<E, D>> =
            (0..self.num_particles).map(|particle| runs.pair(particle, Ask::default())).collect::<Result<_, _>>()?;
        let ln_weights = pairs.iter().map(finite_elbo).collect::<Result<Vec<f64>, Error>>()?;
        let (mut loss, mut terms) = (0.0, Vec::new());
        for (particle, weight) in self.weights(&ln_weights).into_iter().enumerate() {
            let pair = &pairs[particle];
            check_pathwise(pair, "TailAdaptive", "use TraceElbo or RenyiElbo")?;
            loss -= weight * ln_weights[particle];
            // At constant values only the parameters of q are left; they are taken out of the path.
            let constant = runs.pair(particle as u64, Ask { detached: true, ..Ask::default() })?;
            let path = pair.model.log_prob_sum() - ln_q(pair) + ln_q(&constant);
            terms.push(path * E::of(-weight));
        }
        Ok((loss, total(terms)))
    }

    fn loss(&self, runs: &mut dyn Runs<E, D>) -> Result<f64, Error> {
        self.check();
        let ln_weights = (0..self.num_particles)
            .map(|particle| finite_elbo(&runs.pair(particle, Ask::default())?))
            .collect::<Result<Vec<f64>, Error>>()?;
        Ok(-self.weights(&ln_weights).iter().zip(&ln_weights).map(|(weight, ln)| weight * ln).sum::<f64>())
    }
}

fn ln_q<E: Dtype, D: Backend<E>>(pair: &Pair<E, D>) -> Tensor<(), E, D> {
    sum(drawn(pair).map(|site| &site.log_prob))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_powers_of_the_tail() {
        // Shares 2/4, 4/4, 1/4 and 3/4 of the weights are no less: 2, 1, 4 and 4/3 before they are normalised.
        let weights = TailAdaptive::with_particles(4).weights(&[3.0, -5.0, 90.0, 1.0]);
        for (found, expected) in weights.iter().zip([2.0, 1.0, 4.0, 4.0 / 3.0]) {
            assert!((found - expected / (25.0 / 3.0)).abs() < 1e-12, "{weights:?}");
        }
    }
}
