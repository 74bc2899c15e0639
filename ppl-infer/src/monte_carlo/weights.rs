//! Weights of draws, kept as logarithms: their sum, how many equal ones they are worth, and means under them.

use rand::RngCore;

use super::resampling::Resampling;
use crate::diagnostics::psislw;

/// A number found by draws, and its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The number.
    pub mean: f64,
    /// Its standard error.
    pub standard_error: f64,
}

/// The weights of draws, of which at least one is not zero.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    /// Normalised: the exponentials add up to 1.
    log: Vec<f64>,
    /// ln of the sum before that.
    log_sum: f64,
}

impl Weights {
    /// Weights from their logarithms up to a common factor; `None` where all are −∞, or one is NaN or ∞.
    pub fn new(log_weights: Vec<f64>) -> Option<Self> {
        let greatest = log_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if !greatest.is_finite() || log_weights.iter().any(|log| log.is_nan()) {
            return None;
        }
        let sum: f64 = log_weights.iter().map(|log| (log - greatest).exp()).sum();
        let log_sum = greatest + sum.ln();
        let log = log_weights.into_iter().map(|log| log - log_sum).collect();
        Some(Weights { log, log_sum })
    }

    /// So many equal weights that add up to 1.
    ///
    /// # Panics
    /// If there are none.
    pub fn equal(count: usize) -> Self {
        assert!(count > 0, "weights of no draws");
        Weights { log: vec![-(count as f64).ln(); count], log_sum: 0.0 }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.log.len()
    }

    /// Whether there are none; there always are.
    pub fn is_empty(&self) -> bool {
        self.log.is_empty()
    }

    /// The logarithms of the normalised weights.
    pub fn log(&self) -> &[f64] {
        &self.log
    }

    /// The normalised weights.
    pub fn normalized(&self) -> Vec<f64> {
        self.log.iter().map(|log| log.exp()).collect()
    }

    /// ln of the sum of the weights as they were given.
    pub fn log_sum(&self) -> f64 {
        self.log_sum
    }

    /// ln of their mean. The mean is unbiased, its logarithm is not. The standard error is that of independent draws:
    /// the mean's, divided by the mean.
    pub fn log_mean(&self) -> Estimate {
        let n = self.len() as f64;
        // Weights with the mean 1.
        let squares: f64 = self.log.iter().map(|log| (log.exp() * n - 1.0).powi(2)).sum();
        Estimate { mean: self.log_sum - n.ln(), standard_error: (squares / (n - 1.0) / n).sqrt() }
    }

    /// How many equally weighted draws these are worth: 1 / Σ w². Kong, *A Note on Importance Sampling using
    /// Standardized Weights* (1992).
    pub fn ess(&self) -> f64 {
        self.log.iter().map(|log| (2.0 * log).exp()).sum::<f64>().recip()
    }

    /// The Pareto shape k of the largest weights: above 0.7 estimates are not to be trusted ([`psislw`]). Weights that are
    /// all alike have no tail, and −∞.
    pub fn k_hat(&self) -> f64 {
        let (least, greatest) = (self.log.iter().copied().fold(f64::INFINITY, f64::min), self.greatest());
        // Rounding makes no tail.
        if greatest - least < 1e-9 { f64::NEG_INFINITY } else { psislw(&self.log, 1.0).1 }
    }

    /// The weights with their largest ones smoothed ([`psislw`]): a little bias for less variance.
    #[must_use]
    pub fn smoothed(&self) -> Self {
        Weights { log: psislw(&self.log, 1.0).0, log_sum: self.log_sum }
    }

    /// The mean of numbers, one a draw, under the weights. Its standard error is √Σ w²(f − mean)², that of independent
    /// draws.
    ///
    /// # Panics
    /// If there are not as many numbers as weights.
    pub fn mean(&self, numbers: impl IntoIterator<Item = f64>) -> Estimate {
        let numbers: Vec<f64> = numbers.into_iter().collect();
        assert_eq!(numbers.len(), self.len(), "as many numbers as weights");
        // What has no weight has no say, not even where it is infinite.
        let weighed = || self.log.iter().zip(&numbers).filter(|(log, _)| **log > f64::NEG_INFINITY);
        let mean: f64 = weighed().map(|(log, number)| log.exp() * number).sum();
        let squares: f64 = weighed().map(|(log, number)| (log.exp() * (number - mean)).powi(2)).sum();
        Estimate { mean, standard_error: squares.sqrt() }
    }

    /// The numbers of so many draws, in ascending order: each is there as often as its weight says, on average.
    pub fn resample(&self, scheme: Resampling, count: usize, rng: &mut dyn RngCore) -> Vec<usize> {
        scheme.ancestors(&self.normalized(), count, rng)
    }

    fn greatest(&self) -> f64 {
        self.log.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_far_from_one() {
        let weights = Weights::new(vec![-2000.0, -2000.0 + 3.0_f64.ln(), f64::NEG_INFINITY]).expect("weights");
        assert!((weights.log_sum() - (4.0_f64.ln() - 2000.0)).abs() < 1e-12);
        assert!((weights.ess() - 1.0 / (0.0625 + 0.5625)).abs() < 1e-12);
        let mean = weights.mean([1.0, 2.0, f64::INFINITY]);
        assert!((mean.mean - 1.75).abs() < 1e-12);
        assert!((mean.standard_error - (0.1875_f64.powi(2) * 2.0).sqrt()).abs() < 1e-12);
        for none in [vec![f64::NEG_INFINITY; 3], vec![0.0, f64::NAN], vec![0.0, f64::INFINITY], vec![]] {
            assert_eq!(Weights::new(none), None);
        }
    }

    #[test]
    fn equal_weights_are_worth_their_number() {
        let weights = Weights::equal(50);
        assert!((weights.ess() - 50.0).abs() < 1e-9 && weights.k_hat() == f64::NEG_INFINITY);
        // The sample's error is 0, but for rounding.
        assert!(weights.log_mean().standard_error < 1e-9);
    }
}
