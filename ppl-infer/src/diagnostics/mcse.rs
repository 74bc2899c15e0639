//! Monte Carlo standard errors: how far an estimate from these draws may be from that of endless ones.
//!
//! Each has the unit of the draws. Reference: Vehtari et al. 2021, section 4.4 and appendix; Kenney,
//! Keeping, *Mathematics of Statistics*, 1951 (standard deviation).

use ppl_core::distribution::Distribution;
use ppl_core::distributions::Beta;
use ppl_core::{Cpu, Tensor};

use super::autocovariance::Correlator;
use super::chains::{Chains, Draws};
use super::ess::{below, effective};
use super::moments::{Standardised, average};
use super::quantile::sorted;

/// The error of the mean: sd / √ess_mean.
pub fn mcse_mean(chains: &Chains<'_>) -> f64 {
    chains.splittable().map_or(f64::NAN, |draws| of_mean(&draws, &mut Correlator::default()))
}

/// The error of the standard deviation, by the delta method from that of the variance; it takes a finite
/// fourth moment. NaN where all draws are equal.
pub fn mcse_sd(chains: &Chains<'_>) -> f64 {
    chains.splittable().map_or(f64::NAN, |draws| of_sd(&draws, &mut Correlator::default()))
}

/// The error of the quantile at probability `prob`: half of the distance between the order statistics at
/// the 16 % and 84 % quantiles of Beta(ess · prob + 1, ess · (1 − prob) + 1). NaN for a probability
/// outside [0, 1].
pub fn mcse_quantile(chains: &Chains<'_>, prob: f64) -> f64 {
    let Some(draws) = chains.splittable() else { return f64::NAN };
    let sorted = sorted(draws.values.clone());
    let ess = below(&draws, &sorted, prob, &mut Correlator::default());
    if ess.is_nan() {
        return f64::NAN;
    }
    let size = sorted.len() as f64;
    let beta = Beta::<(), f64, Cpu>::new(ess * prob + 1.0, ess * (1.0 - prob) + 1.0);
    // Where the quantile of the order statistics falls, counted from 0.
    let place = |p: f64| beta.icdf(&Tensor::scalar(p)).map_or(f64::NAN, |x| x.item()) * size - 1.0;
    let [low, high] = [place(0.158_655_3).max(0.0).floor(), place(0.841_344_7).min(size - 1.0).ceil()];
    // Halves first: their difference cannot overflow.
    sorted[high as usize] / 2.0 - sorted[low as usize] / 2.0
}

/// [`mcse_mean`] of draws that can be split.
pub(super) fn of_mean(draws: &Draws, correlator: &mut Correlator) -> f64 {
    Standardised::of(draws).sd() / effective(&draws.split(), correlator).sqrt()
}

/// [`mcse_sd`] of draws that can be split.
pub(super) fn of_sd(draws: &Draws, correlator: &mut Correlator) -> f64 {
    let standardised = Standardised::of(draws);
    let squares = standardised.deviations.map(|d| d * d);
    let variance = average(&squares.values);
    let spread = squares.values.iter().map(|s| (s - variance).powi(2)).sum::<f64>() / squares.values.len() as f64;
    let error = spread / effective(&squares.split(), correlator);
    standardised.scale * (error / variance / 4.0).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_draws_have_no_error_of_the_mean() {
        let chain = [0.1; 10];
        let chains = Chains::new(&[&chain, &chain]).unwrap();
        assert_eq!([mcse_mean(&chains), mcse_quantile(&chains, 0.3)], [0.0; 2]);
        assert!(mcse_sd(&chains).is_nan());
    }

    #[test]
    fn hostile_draws_have_no_error() {
        let chain = [1.0, f64::INFINITY, 2.0, 5.0, 4.0, 1.5];
        let chains = Chains::new(&[&chain]).unwrap();
        assert!(mcse_mean(&chains).is_nan() && mcse_sd(&chains).is_nan() && mcse_quantile(&chains, 0.5).is_nan());
        let good = Chains::new(&[&chain[2..]]).unwrap();
        assert!(mcse_quantile(&good, -0.5).is_nan() && mcse_quantile(&good, 0.5) > 0.0);
    }
}
