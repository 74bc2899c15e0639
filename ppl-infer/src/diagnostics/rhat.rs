//! R-hat: how much wider all chains together are than each of them.
//!
//! References: Gelman, Rubin, *Inference from iterative simulation using multiple sequences*, Statistical
//! Science 7, 1992; Vehtari et al. 2021, equations 1 to 4 and section 4.
//!
//! All of these need two chains and four draws of each, and are NaN otherwise and where all draws are
//! equal. Chains that stand still at different values have R-hat ∞.

use super::chains::{Chains, Draws};
use super::moments::{Standardised, average, variance};
use super::quantile::median;
use super::ranks::normal_scores;

/// The rank-normalised split R-hat: the larger of [`rhat_bulk`] and [`rhat_folded`]. Chains agree where
/// it is at most 1.01. It does not change under a shift or a change of scale, but for the fourth digit or so:
/// the two draws beside the median are equally far from it, and rounding decides which is nearer.
///
/// It is ArviZ's `rhat`. (`arviz.summary` folds around the median of all draws; here, as in `rhat`, the
/// middle draw of chains of odd length belongs to neither half, nor to the median.)
pub fn rhat(chains: &Chains<'_>) -> f64 {
    halves(chains).map_or(f64::NAN, |halves| bulk(&halves).max(folded(&halves)))
}

/// Split R-hat of normal scores: whether chains agree on location, moments or not. It does not change
/// under increasing maps.
pub fn rhat_bulk(chains: &Chains<'_>) -> f64 {
    halves(chains).map_or(f64::NAN, |halves| bulk(&halves))
}

/// Split R-hat of the normal scores of distances from the median: whether chains agree on scale.
pub fn rhat_folded(chains: &Chains<'_>) -> f64 {
    halves(chains).map_or(f64::NAN, |halves| folded(&halves))
}

/// Split R-hat of the draws themselves, as Stan printed it before 2.21. It is of use where variance is
/// finite.
pub fn rhat_split(chains: &Chains<'_>) -> f64 {
    halves(chains).map_or(f64::NAN, |halves| potential_scale_reduction(&Standardised::of(&halves).deviations))
}

fn halves(chains: &Chains<'_>) -> Option<Draws> {
    (chains.num_chains() >= 2).then(|| chains.splittable()).flatten().map(|draws| draws.split())
}

fn bulk(halves: &Draws) -> f64 {
    potential_scale_reduction(&normal_scores(halves))
}

fn folded(halves: &Draws) -> f64 {
    let middle = median(halves.values.clone());
    potential_scale_reduction(&normal_scores(&halves.map(|x| (x - middle).abs())))
}

/// √((B / W + n − 1) / n) for the variances B between and W within chains of n draws.
fn potential_scale_reduction(draws: &Draws) -> f64 {
    let n = draws.len as f64;
    let (means, variances): (Vec<f64>, Vec<f64>) =
        draws.chains().map(|chain| (average(chain), variance(chain))).unzip();
    let between = n * variance(&means);
    ((between / average(&variances) + n - 1.0) / n).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_that_stand_still_are_infinitely_far_apart_or_say_nothing() {
        let [low, high] = [[0.1; 6], [0.3; 6]];
        let apart = Chains::new(&[&low, &high]).unwrap();
        assert_eq!([rhat(&apart), rhat_bulk(&apart), rhat_split(&apart)], [f64::INFINITY; 3]);
        let equal = Chains::new(&[&low, &low]).unwrap();
        assert!([rhat(&equal), rhat_folded(&equal), rhat_split(&equal)].iter().all(|r| r.is_nan()));
    }

    #[test]
    fn it_takes_two_chains_and_four_draws() {
        let chain = [1.0, 3.0, 2.0, 5.0];
        assert!(rhat(&Chains::new(&[&chain]).unwrap()).is_nan());
        assert!(rhat(&Chains::new(&[&chain[1..], &chain[1..]]).unwrap()).is_nan());
        assert!(rhat(&Chains::new(&[&chain, &chain]).unwrap()).is_finite());
    }

    /// By hand: halves (0, 2), (4, 6) and (1, 3), (5, 7) have means 1, 5, 2, 6 and variances 2, so that
    /// B = 2 · 17 / 3 and W = 2.
    #[test]
    fn split_r_hat_by_hand() {
        let chains = Chains::new(&[&[0.0, 2.0, 4.0, 6.0], &[1.0, 3.0, 5.0, 7.0]]).unwrap();
        let expected = ((17.0 / 3.0 + 1.0) / 2.0_f64).sqrt();
        assert!((rhat_split(&chains) / expected - 1.0).abs() < 1e-15);
    }
}
