//! Leave-one-out cross-validation by Pareto smoothed importance sampling.

use std::fmt;

use rayon::prelude::*;

use super::chains::DiagnosticsError;
use super::log_likelihood::{LogLikelihood, log_sum_exp, sum_with_error};
use super::psis::psislw;

/// PSIS-LOO on the scale of log-densities: higher is better. `-2 * elpd_loo` is on the scale of deviances.
#[derive(Clone, Debug, PartialEq)]
pub struct Loo {
    /// The expected log predictive density: the sum over observations of their log-density under the
    /// posterior given all others.
    pub elpd_loo: f64,
    /// Its standard error.
    pub se: f64,
    /// The effective number of parameters.
    pub p_loo: f64,
    /// What each observation adds to `elpd_loo`.
    pub loo_i: Vec<f64>,
    /// What each observation adds to `p_loo`.
    pub p_loo_i: Vec<f64>,
    /// The Pareto shape of each observation's weights. Above [`good_k`](Loo::good_k) its term is not to be
    /// trusted: leave that observation out and draw again, or make the model robust to it.
    pub pareto_k: Vec<f64>,
    /// Up to where a shape is good with so many draws: min(1 − 1 / log₁₀ S, 0.7).
    pub good_k: f64,
    /// The number of draws.
    pub n_samples: usize,
}

impl Loo {
    /// How many observations have a Pareto shape above 0.7, or none that is a number.
    pub fn high_k(&self) -> usize {
        self.k_above(0.7).len()
    }

    /// The observations whose Pareto shape is above `threshold` or not a number.
    pub fn k_above(&self, threshold: f64) -> Vec<usize> {
        let is_above = |k: f64| k.is_nan() || k > threshold;
        (0..self.pareto_k.len()).filter(|&i| is_above(self.pareto_k[i])).collect()
    }
}

impl fmt::Display for Loo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let observations = self.loo_i.len();
        writeln!(f, "PSIS-LOO from {} draws and {observations} observations", self.n_samples)?;
        writeln!(f, "{:<8} {:>9} {:>8}", "", "Estimate", "SE")?;
        writeln!(f, "{:<8} {:>9.2} {:>8.2}", "elpd_loo", self.elpd_loo, self.se)?;
        writeln!(f, "{:<8} {:>9.2} {:>8}", "p_loo", self.p_loo, "-")?;
        let bad = self.k_above(self.good_k).len();
        let very_bad = self.k_above(1.0).len();
        let share = |count: usize| 100.0 * count as f64 / observations as f64;
        let good = observations - bad;
        writeln!(f, "Pareto k: {good} good (at most {:.2}, {:.1} %),", self.good_k, share(good))?;
        let middling = bad.saturating_sub(very_bad);
        write!(f, "{middling} bad (up to 1, {:.1} %), {very_bad} very bad ({:.1} %)", share(middling), share(very_bad))
    }
}

/// PSIS-LOO. `reff` is the relative efficiency of the draws, from
/// [`relative_efficiency`](super::relative_efficiency()) of the posterior, or 1 for independent draws. An
/// observation with a log-likelihood that is not finite is NaN, and its shape ∞.
///
/// # Errors
/// If `reff` is not positive and finite.
///
/// Reference: Vehtari, Gelman, Gabry, *Practical Bayesian model evaluation using leave-one-out
/// cross-validation and WAIC*, Statistics and Computing 27, 2017, <https://arxiv.org/abs/1507.04544>.
pub fn loo(log_likelihood: &LogLikelihood<'_>, reff: f64) -> Result<Loo, DiagnosticsError> {
    if !(reff > 0.0 && reff.is_finite()) {
        return Err(DiagnosticsError::RelativeEfficiency(reff));
    }
    let observations = (0..log_likelihood.num_observations()).into_par_iter();
    let terms: Vec<Term> = observations.map(|i| Term::of(&log_likelihood.observation(i), reff)).collect();
    let loo_i: Vec<f64> = terms.iter().map(|term| term.elpd).collect();
    let p_loo_i: Vec<f64> = terms.iter().map(|term| term.lpd - term.elpd).collect();
    let (elpd_loo, se) = sum_with_error(&loo_i);
    let n_samples = log_likelihood.num_samples();
    Ok(Loo {
        elpd_loo,
        se,
        p_loo: p_loo_i.iter().sum(),
        loo_i,
        p_loo_i,
        pareto_k: terms.iter().map(|term| term.k).collect(),
        good_k: (1.0 - 1.0 / (n_samples as f64).log10()).min(0.7),
        n_samples,
    })
}

/// One observation: its log predictive density, without itself and with, and its weights' shape.
struct Term {
    elpd: f64,
    lpd: f64,
    k: f64,
}

impl Term {
    fn of(values: &[f64], reff: f64) -> Self {
        if !values.iter().all(|v| v.is_finite()) {
            return Term { elpd: f64::NAN, lpd: f64::NAN, k: f64::INFINITY };
        }
        let ratios: Vec<f64> = values.iter().map(|v| -v).collect();
        let (weights, k) = psislw(&ratios, reff);
        let weighted: Vec<f64> = weights.iter().zip(values).map(|(w, v)| w + v).collect();
        Term { elpd: log_sum_exp(&weighted), lpd: log_sum_exp(values) - (values.len() as f64).ln(), k }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_observation_is_named_by_its_shape() {
        let values: Vec<f64> =
            (0..200).map(|i| if i == 77 { f64::NAN } else { -1.0 - f64::from(i % 13) / 20.0 }).collect();
        let found = loo(&LogLikelihood::new(&values, 2, 50, 2).unwrap(), 1.0).unwrap();
        assert!(found.loo_i[0].is_finite() && found.loo_i[1].is_nan() && found.elpd_loo.is_nan());
        assert_eq!((found.k_above(0.7), found.high_k(), found.good_k), (vec![1], 1, 0.5));
        assert!(found.to_string().ends_with("0 bad (up to 1, 0.0 %), 1 very bad (50.0 %)"), "{found}");
    }

    #[test]
    fn the_efficiency_must_be_one() {
        let table = LogLikelihood::new(&[-1.0, -2.0], 1, 2, 1).unwrap();
        for reff in [0.0, -1.0, f64::INFINITY] {
            assert_eq!(loo(&table, reff), Err(DiagnosticsError::RelativeEfficiency(reff)));
        }
        assert!(loo(&table, f64::NAN).is_err());
    }
}
