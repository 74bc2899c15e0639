//! Ranks, and the normal scores that stand for them.

use statrs::function::erf::erfc_inv;
use std::f64::consts::SQRT_2;

use super::chains::{Chains, Draws};

/// The normal score of each draw among all of them, chain after chain: Φ⁻¹((r − 3/8) / (S + 1/4)) for
/// the rank r of S draws, ties having the mean of their ranks.
///
/// Reference: Blom, *Statistical Estimates and Transformed Beta-Variables*, 1958; Vehtari et al. 2021,
/// equation 14.
pub fn z_scale(chains: &Chains<'_>) -> Vec<f64> {
    let total = chains.num_chains() * chains.num_draws();
    chains.finite().map_or_else(|| vec![f64::NAN; total], |draws| normal_scores(&draws).values)
}

/// The rank of each draw among all of them, chain after chain, from 1; ties have the mean of their ranks.
pub fn ranks(chains: &Chains<'_>) -> Vec<f64> {
    let mut ranks = vec![f64::NAN; chains.num_chains() * chains.num_draws()];
    if let Some(draws) = chains.finite() {
        Ties::of(&draws.values).groups().for_each(|(rank, tied)| tied.iter().for_each(|&i| ranks[i] = rank));
    }
    ranks
}

/// [`z_scale`] of finite draws.
pub(super) fn normal_scores(draws: &Draws) -> Draws {
    let size = draws.values.len() as f64;
    let mut values = vec![0.0; draws.values.len()];
    for (rank, tied) in Ties::of(&draws.values).groups() {
        let score = normal_quantile((rank - 0.375) / (size + 0.25));
        tied.iter().for_each(|&i| values[i] = score);
    }
    Draws { values, len: draws.len }
}

fn normal_quantile(p: f64) -> f64 {
    -SQRT_2 * erfc_inv(2.0 * p)
}

/// The places of numbers in ascending order.
struct Ties<'a> {
    values: &'a [f64],
    order: Vec<usize>,
}

impl<'a> Ties<'a> {
    fn of(values: &'a [f64]) -> Self {
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]));
        Ties { values, order }
    }

    /// Each number's mean rank, counted from 1, with the places where it stands. Zeros of both signs
    /// are one number.
    fn groups(&self) -> impl Iterator<Item = (f64, &[usize])> {
        let mut before = 0;
        self.order.chunk_by(|&a, &b| self.values[a] == self.values[b]).map(move |tied| {
            let rank = before as f64 + (tied.len() as f64 + 1.0) / 2.0;
            before += tied.len();
            (rank, tied)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_their_mean_rank() {
        let ties = [3.0, 1.0, 3.0, -0.0, 0.0, 3.0];
        assert_eq!(ranks(&Chains::new(&[&ties]).unwrap()), [5.0, 3.0, 5.0, 1.5, 1.5, 5.0]);
        assert!(ranks(&Chains::new(&[&[1.0, f64::NAN]]).unwrap()).iter().all(|rank| rank.is_nan()));
    }

    #[test]
    fn scores_are_those_of_the_normal_distribution() {
        let scores = z_scale(&Chains::new(&[&[2.0, 9.0, 5.0]]).unwrap());
        // Φ⁻¹(0.625 / 3.25), mpmath.
        let outer = 0.869_423_773_288_886;
        assert!(
            (scores[0] + outer).abs() < 1e-15 && (scores[1] - outer).abs() < 1e-15 && scores[2] == 0.0,
            "{scores:?}"
        );
        assert!(z_scale(&Chains::new(&[&[2.0, f64::NAN]]).unwrap()).iter().all(|z| z.is_nan()));
    }
}
