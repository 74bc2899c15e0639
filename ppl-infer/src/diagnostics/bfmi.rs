//! The energy's fraction of missing information.

use super::chains::{Chains, Draws};
use super::moments::{Standardised, sum_of_squares};

/// E-BFMI of each chain, from the energies (Hamiltonians) of its transitions: Σ (Eᵢ − Eᵢ₋₁)² over
/// Σ (Eᵢ − Ē)². Below 0.3 the momenta that are drawn anew move the energy too
/// little to reach the tails. NaN with fewer than two draws, or where one is not finite or all are equal.
///
/// Reference: Betancourt, *Diagnosing suboptimal cotangent disintegrations in Hamiltonian Monte Carlo*,
/// 2016, <https://arxiv.org/abs/1604.00695>.
pub fn bfmi(energy: &Chains<'_>) -> Vec<f64> {
    energy.iter().map(of_chain).collect()
}

fn of_chain(energy: &[f64]) -> f64 {
    if !energy.iter().all(|e| e.is_finite()) {
        return f64::NAN;
    }
    let deviations = Standardised::of(&Draws { values: energy.to_vec(), len: energy.len() }).deviations.values;
    let steps: f64 = deviations.windows(2).map(|pair| (pair[1] - pair[0]).powi(2)).sum();
    steps / sum_of_squares(&deviations)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_against_spread() {
        // Steps 1, 2, −4: 21; distances from the mean −1, 0, 2, −2 with mean −0.25: 9 − 0.25.
        let energy = [1.0, 2.0, 4.0, 0.0];
        let found = bfmi(&Chains::new(&[&energy, &energy.map(|e| e * 1e200)]).unwrap());
        assert!(found.iter().all(|f| (f - 21.0 / 8.75).abs() < 1e-14), "{found:?}");
        let hostile = bfmi(&Chains::new(&[&[1.0, f64::NAN], &[3.0, 3.0]]).unwrap());
        assert!(hostile.iter().all(|f| f.is_nan()));
        assert!(bfmi(&Chains::new(&[&[1.0]]).unwrap())[0].is_nan());
    }
}
