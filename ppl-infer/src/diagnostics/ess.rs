//! Effective sample sizes: how many independent draws would tell as much.
//!
//! References: Geyer, *Practical Markov chain Monte Carlo*, Statistical Science 7, 1992 (initial positive
//! and monotone sequences); Vehtari et al. 2021, section 3.2 and equation 10 (several chains), sections
//! 4.1 to 4.3 (bulk, quantiles, tails).
//!
//! All of these are of halves of chains. They are NaN with fewer than four draws a chain, and the number
//! of draws where all draws are equal, as in ArviZ.

use super::autocovariance::Correlator;
use super::chains::{Chains, Draws};
use super::moments::{Standardised, average, variance};
use super::quantile::{quantile_of_sorted, sorted};
use super::ranks::normal_scores;

/// The effective sample size of normal scores: of the bulk of the distribution, whether it has a variance
/// or not. It does not change under increasing maps.
pub fn ess_bulk(chains: &Chains<'_>) -> f64 {
    estimate(chains, bulk)
}

/// The lesser effective sample size of the quantiles at 5 % and 95 %.
pub fn ess_tail(chains: &Chains<'_>) -> f64 {
    estimate(chains, tail)
}

/// The effective sample size for the mean: the variance of the mean of all draws is the draws' variance
/// over this.
pub fn ess_mean(chains: &Chains<'_>) -> f64 {
    estimate(chains, |draws, correlator| effective(&draws.split(), correlator))
}

/// The effective sample size for the standard deviation: that of squared distances from the mean.
pub fn ess_sd(chains: &Chains<'_>) -> f64 {
    estimate(chains, |draws, correlator| {
        effective(&Standardised::of(draws).deviations.map(|d| d * d).split(), correlator)
    })
}

/// The effective sample size of the quantile at probability `prob`: that of the indicator of draws at most
/// that quantile. NaN for a probability outside [0, 1].
pub fn ess_quantile(chains: &Chains<'_>, prob: f64) -> f64 {
    estimate(chains, |draws, correlator| below(draws, &sorted(draws.values.clone()), prob, correlator))
}

/// The mean over quantities of [`ess_mean`] by the number of draws, which [`loo`](super::loo()) asks for;
/// 1 of a single chain and of no quantity, as in ArviZ.
pub fn relative_efficiency(quantities: &[Chains<'_>]) -> f64 {
    if quantities.first().is_none_or(|first| first.num_chains() == 1) {
        return 1.0;
    }
    let share = |chains: &Chains<'_>| ess_mean(chains) / (chains.num_chains() * chains.num_draws()) as f64;
    quantities.iter().map(share).sum::<f64>() / quantities.len() as f64
}

fn estimate(chains: &Chains<'_>, of: impl Fn(&Draws, &mut Correlator) -> f64) -> f64 {
    chains.splittable().map_or(f64::NAN, |draws| of(&draws, &mut Correlator::default()))
}

/// [`ess_bulk`] of draws that can be split.
pub(super) fn bulk(draws: &Draws, correlator: &mut Correlator) -> f64 {
    effective(&normal_scores(&draws.split()), correlator)
}

/// [`ess_tail`] of draws that can be split.
pub(super) fn tail(draws: &Draws, correlator: &mut Correlator) -> f64 {
    let sorted = sorted(draws.values.clone());
    let [low, high] = [0.05, 0.95].map(|prob| below(draws, &sorted, prob, correlator));
    low.min(high)
}

/// [`ess_quantile`] of draws that can be split.
pub(super) fn below(draws: &Draws, sorted: &[f64], prob: f64, correlator: &mut Correlator) -> f64 {
    let quantile = quantile_of_sorted(sorted, prob);
    if quantile.is_nan() {
        return f64::NAN;
    }
    effective(&draws.map(|x| f64::from(u8::from(x <= quantile))).split(), correlator)
}

/// The effective sample size of numbers in chains, for their mean.
pub(super) fn effective(draws: &Draws, correlator: &mut Correlator) -> f64 {
    let size = draws.values.len() as f64;
    let standardised = Standardised::of(draws);
    if standardised.is_constant() {
        return size;
    }
    let rho = Autocorrelation::of(&standardised.deviations, correlator);
    let (pairs, rest) = rho.initial_monotone_sequence();
    let tau = 2.0 * pairs.iter().sum::<f64>() + rest - 1.0;
    // Antithetic chains beat independent draws, but not by more than this.
    size / tau.max(1.0 / size.log10())
}

/// The autocorrelation of several chains together: 1 − (W − mean autocovariance) / V, where W is the
/// variance within the chains and V that of all of them, means included.
struct Autocorrelation {
    covariance: Vec<f64>,
    within: f64,
    total: f64,
}

impl Autocorrelation {
    fn of(draws: &Draws, correlator: &mut Correlator) -> Self {
        let n = draws.len as f64;
        let covariance = correlator.mean_autocovariance(draws);
        let means: Vec<f64> = draws.chains().map(average).collect();
        let between = if means.len() > 1 { variance(&means) } else { 0.0 };
        let total = covariance[0] + between;
        Autocorrelation { within: covariance[0] * n / (n - 1.0), total, covariance }
    }

    fn at(&self, lag: usize) -> f64 {
        if lag == 0 { 1.0 } else { 1.0 - (self.within - self.covariance[lag]) / self.total }
    }

    /// The autocorrelations up to the last pair of lags (2k, 2k + 1) before one has a sum that is not
    /// positive, each pair lowered to the mean of the pair before where its sum is greater; and what the
    /// next even lag adds where it is positive.
    ///
    /// The last lag of a chain is never read, as in Stan and ArviZ.
    fn initial_monotone_sequence(&self) -> (Vec<f64>, f64) {
        let n = self.covariance.len();
        let mut pair = [1.0, self.at(1)];
        let mut kept = pair.to_vec();
        let mut lag = 1;
        while lag + 3 < n && pair[0] + pair[1] > 0.0 {
            pair = [self.at(lag + 1), self.at(lag + 2)];
            // What is not kept takes part as nothing.
            kept.extend(if pair[0] + pair[1] >= 0.0 { pair } else { [0.0; 2] });
            lag += 2;
        }
        // The pair that ended the sequence counts by its even lag alone.
        let rest = if pair[0] > 0.0 { pair[0] } else { kept[lag - 1] };
        kept.truncate(lag - 1);
        for k in (2..kept.len()).step_by(2) {
            let before = kept[k - 2] + kept[k - 1];
            if kept[k] + kept[k + 1] > before {
                kept[k..k + 2].fill(before / 2.0);
            }
        }
        (kept, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_draws_count_fully_as_in_arviz() {
        let chain = [0.1; 10];
        let chains = Chains::new(&[&chain, &chain]).unwrap();
        let found = [ess_bulk, ess_tail, ess_mean, ess_sd].map(|ess| ess(&chains));
        assert_eq!(found, [20.0; 4]);
        assert_eq!(ess_quantile(&chains, 0.5), 20.0);
    }

    #[test]
    fn hostile_draws_have_none() {
        let good = [1.0, 3.0, 2.0, 5.0, 4.0, 1.5];
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut chain = good;
            chain[3] = bad;
            let chains = Chains::new(&[&good, &chain]).unwrap();
            assert!([ess_bulk, ess_tail, ess_mean, ess_sd].iter().all(|ess| ess(&chains).is_nan()));
        }
        let short = Chains::new(&[&good[..3], &good[3..]]).unwrap();
        assert!(ess_bulk(&short).is_nan() && ess_quantile(&short, 0.5).is_nan());
        let whole = Chains::new(&[&good]).unwrap();
        assert!(ess_quantile(&whole, 1.5).is_nan() && ess_quantile(&whole, f64::NAN).is_nan());
        assert!(ess_mean(&whole).is_finite());
    }

    #[test]
    fn a_single_chain_is_taken_as_efficient() {
        let chain = [1.0, 3.0, 2.0, 5.0, 4.0, 1.5];
        assert_eq!(relative_efficiency(&[Chains::new(&[&chain]).unwrap()]), 1.0);
        assert_eq!(relative_efficiency(&[]), 1.0);
        let two = Chains::new(&[&chain, &chain]).unwrap();
        assert_eq!(relative_efficiency(&[two.clone(), two.clone()]), ess_mean(&two) / 12.0);
    }
}
