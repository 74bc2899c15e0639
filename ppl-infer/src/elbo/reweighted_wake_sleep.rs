//! Reweighted wake-sleep: a guide that learns from what the model weighs, and from what it dreams.

use ppl_core::backend::Backend;
use ppl_core::trace::{Keep, sum, total};
use ppl_core::{Dtype, Error, Tensor};

use super::Objective;
use super::bound::{drawn, finite_elbo};
use super::weights::{ln_mean_exp, normalized};
use crate::pair::Ask;
use crate::runs::Runs;

/// Reweighted wake-sleep. K runs of the guide, whose values are constants, are weighed by w = p(x, z) / q(z),
/// normalised. The model follows Σ w ∇ ln p (wake-θ); the guide follows Σ w ∇ ln q (wake-φ), which lowers
/// KL(posterior ‖ guide), and ∇ ln q of what the model dreams (sleep-φ). No draw needs a pathwise gradient, and
/// none is scored by a cost, so it suits discrete sites. The gradients of both wake phases have a bias that falls
/// as 1/K.
///
/// The loss is the negative importance-weighted bound of the evidence: that of wake-θ. In the sleep phase the guide
/// gets the arguments that were given, not what was dreamt: it learns from dreams only where it does not read the
/// data. References: Bornschein and Bengio, *Reweighted Wake-Sleep* (ICLR 2015); Le, Kosiorek, Siddharth, Teh and
/// Wood, *Revisiting Reweighted Wake-Sleep* (UAI 2019).
#[derive(Clone, Debug)]
pub struct ReweightedWakeSleep {
    /// The number K of the guide's runs in the wake phases, at least one; default 2.
    pub num_particles: u64,
    /// The weight of wake-φ, within [0, 1]; sleep-φ has the rest; default 1.
    pub insomnia: f64,
    /// How many dreams are averaged where `insomnia` is below 1; `None`, the default, is K.
    pub num_sleep_particles: Option<u64>,
    /// Whether the model has parameters that are to learn; default yes.
    pub model_has_params: bool,
}

impl Default for ReweightedWakeSleep {
    fn default() -> Self {
        ReweightedWakeSleep { num_particles: 2, insomnia: 1.0, num_sleep_particles: None, model_has_params: true }
    }
}

impl ReweightedWakeSleep {
    /// Wake phases with so many runs, and no dreams.
    ///
    /// # Panics
    /// If there are none.
    #[track_caller]
    pub fn with_particles(num_particles: u64) -> Self {
        let objective = ReweightedWakeSleep { num_particles, ..Self::default() };
        objective.check();
        objective
    }

    /// The weight of wake-φ, of which sleep-φ has the rest.
    ///
    /// # Panics
    /// If it is not within [0, 1].
    #[must_use]
    #[track_caller]
    pub fn insomnia(self, insomnia: f64) -> Self {
        let objective = ReweightedWakeSleep { insomnia, ..self };
        objective.check();
        objective
    }

    fn dreams(&self) -> u64 {
        if self.insomnia < 1.0 { self.num_sleep_particles.unwrap_or(self.num_particles) } else { 0 }
    }

    #[track_caller]
    fn check(&self) {
        assert!(self.num_particles > 0, "ReweightedWakeSleep needs at least one particle");
        let insomnia = self.insomnia;
        assert!((0.0..=1.0).contains(&insomnia), "insomnia is {insomnia}, but must be within [0, 1]");
        let dreams = insomnia == 1.0 || self.dreams() > 0;
        assert!(dreams, "insomnia is {insomnia}, so ReweightedWakeSleep needs at least one sleep particle");
    }
}

/// What is asked of the wake phases.
const WAKE: Ask = Ask { detached: true, keep: Keep::NOTHING };

impl<E: Dtype, D: Backend<E>> Objective<E, D> for ReweightedWakeSleep {
    fn surrogate(&mut self, runs: &mut dyn Runs<E, D>) -> Result<(f64, Tensor<(), E, D>), Error> {
        self.check();
        let (mut ln_weights, mut densities) = (Vec::new(), Vec::new());
        for particle in 0..self.num_particles {
            let pair = runs.pair(particle, WAKE)?;
            ln_weights.push(finite_elbo(&pair)?);
            densities.push((pair.model.log_prob_sum(), sum(drawn(&pair).map(|site| &site.log_prob))));
        }
        let mut terms = Vec::new();
        for ((ln_p, ln_q), weight) in densities.into_iter().zip(normalized(&ln_weights)) {
            if self.model_has_params {
                terms.push(ln_p * E::of(-weight));
            }
            if self.insomnia > 0.0 {
                terms.push(ln_q * E::of(-weight * self.insomnia));
            }
        }
        let dreams = self.dreams();
        for dream in 0..dreams {
            // Numbers after those of the wake phases, so that dreams have randomness of their own.
            let pair = runs.dream(self.num_particles + dream, WAKE.keep)?;
            finite_elbo(&pair)?;
            let ln_q = sum(drawn(&pair).map(|site| &site.log_prob));
            terms.push(ln_q * E::of((self.insomnia - 1.0) / dreams as f64));
        }
        Ok((-ln_mean_exp(&ln_weights), total(terms)))
    }

    fn loss(&self, runs: &mut dyn Runs<E, D>) -> Result<f64, Error> {
        self.check();
        let ln_weights = (0..self.num_particles)
            .map(|particle| finite_elbo(&runs.pair(particle, WAKE)?))
            .collect::<Result<Vec<f64>, Error>>()?;
        Ok(-ln_mean_exp(&ln_weights))
    }
}
