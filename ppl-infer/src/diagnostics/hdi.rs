//! The highest density interval.

use super::chains::Chains;
use super::quantile::sorted;

/// The narrowest interval that holds a share `prob` of the draws (the first of several), also known as
/// HPDI: for a distribution with one mode. `[NaN, NaN]` for a probability outside (0, 1].
///
/// It spans ⌊prob · S⌋ steps between S ordered draws, as in ArviZ.
///
/// Reference: Chen, Shao, *Monte Carlo estimation of Bayesian credible and HPD intervals*, Journal of
/// Computational and Graphical Statistics 8, 1999.
pub fn hdi(chains: &Chains<'_>, prob: f64) -> [f64; 2] {
    let inside = prob > 0.0 && prob <= 1.0;
    let Some(draws) = chains.finite().filter(|_| inside) else { return [f64::NAN; 2] };
    let sorted = sorted(draws.values);
    let steps = ((prob * sorted.len() as f64).floor() as usize).min(sorted.len() - 1);
    let width = |start: usize| sorted[start + steps] - sorted[start];
    let narrowest = (0..sorted.len() - steps).fold(0, |best, at| if width(at) < width(best) { at } else { best });
    [sorted[narrowest], sorted[narrowest + steps]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_narrowest_and_the_first() {
        let chains = Chains::new(&[&[0.0, 10.0, 11.0, 12.0], &[13.0, 30.0, 40.0, 50.0]]).unwrap();
        assert_eq!(hdi(&chains, 0.4), [10.0, 13.0]);
        assert_eq!(hdi(&chains, 0.13), [10.0, 11.0]);
        assert_eq!(hdi(&chains, 1.0), [0.0, 50.0]);
        assert_eq!(hdi(&Chains::new(&[&[2.0]]).unwrap(), 0.94), [2.0, 2.0]);
        assert!([0.0, -1.0, 1.5, f64::NAN].iter().all(|&prob| hdi(&chains, prob)[0].is_nan()));
        assert!(hdi(&Chains::new(&[&[2.0, f64::NAN]]).unwrap(), 0.5)[1].is_nan());
    }
}
