//! Log-likelihoods of observations, draw by draw: what WAIC and LOO are made of.

use super::chains::DiagnosticsError;

/// The log-likelihood of each observation under each draw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogLikelihood<'a> {
    values: &'a [f64],
    chains: usize,
    draws: usize,
    observations: usize,
}

impl<'a> LogLikelihood<'a> {
    /// Row-major values, chains × draws × observations: the observations of one draw stand together.
    ///
    /// # Errors
    /// If the sizes do not multiply to the number of values, or are 0.
    pub fn new(values: &'a [f64], chains: usize, draws: usize, observations: usize) -> Result<Self, DiagnosticsError> {
        let size = chains.checked_mul(draws).and_then(|samples| samples.checked_mul(observations));
        if values.is_empty() || size != Some(values.len()) {
            return Err(DiagnosticsError::LogLikelihoods { found: values.len(), chains, draws, observations });
        }
        Ok(LogLikelihood { values, chains, draws, observations })
    }

    /// The number of chains.
    pub fn num_chains(&self) -> usize {
        self.chains
    }

    /// The number of draws of each chain.
    pub fn num_draws(&self) -> usize {
        self.draws
    }

    /// The number of observations.
    pub fn num_observations(&self) -> usize {
        self.observations
    }

    /// The number of draws of all chains.
    pub(super) fn num_samples(&self) -> usize {
        self.chains * self.draws
    }

    /// One observation's log-likelihood under each draw, chain after chain.
    pub(super) fn observation(&self, observation: usize) -> Vec<f64> {
        self.values.iter().skip(observation).step_by(self.observations).copied().collect()
    }
}

/// ln Σ exp x: −∞ where all are −∞, NaN where one is NaN.
pub(super) fn log_sum_exp(x: &[f64]) -> f64 {
    let largest = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if largest.is_infinite() && !x.iter().any(|x| x.is_nan()) {
        return largest;
    }
    largest + x.iter().map(|x| (x - largest).exp()).sum::<f64>().ln()
}

/// A sum over observations with its standard error, √(n · variance of the terms), with n in the variance's
/// denominator.
pub(super) fn sum_with_error(terms: &[f64]) -> (f64, f64) {
    let n = terms.len() as f64;
    let sum = terms.iter().sum::<f64>();
    let variance = terms.iter().map(|t| (t - sum / n).powi(2)).sum::<f64>() / n;
    (sum, (n * variance).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_must_multiply() {
        let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let two = LogLikelihood::new(&values, 1, 3, 2).unwrap();
        assert_eq!(two.observation(1), [2.0, 4.0, 6.0]);
        for (chains, draws, observations) in [(2, 3, 2), (6, 1, 0), (usize::MAX, 2, 2)] {
            let error = LogLikelihood::new(&values, chains, draws, observations).unwrap_err();
            assert_eq!(error, DiagnosticsError::LogLikelihoods { found: 6, chains, draws, observations });
        }
        assert!(LogLikelihood::new(&[], 0, 1, 1).is_err());
    }

    #[test]
    fn sums_of_exponentials_at_the_ends() {
        assert_eq!(log_sum_exp(&[f64::NEG_INFINITY; 2]), f64::NEG_INFINITY);
        assert!((log_sum_exp(&[-1e5, -1e5]) - (2.0_f64.ln() - 1e5)).abs() < 1e-10);
        assert_eq!(log_sum_exp(&[f64::INFINITY, 0.0]), f64::INFINITY);
        assert!(log_sum_exp(&[f64::NEG_INFINITY, f64::NAN]).is_nan());
    }
}
