//! Draws follow the cdf, and lie in the support.

use ppl_core::backend::Backend;
use ppl_core::rng::Rng;
use ppl_core::{Cpu, Dtype};

use crate::families::{families, family, row, wide};

const DRAWS: usize = 20_000;

/// The largest distance between the draws' distribution function and the cdf.
fn kolmogorov_smirnov(mut draws: Vec<f64>, cdf: impl Fn(&[f64]) -> Vec<f64>) -> f64 {
    draws.sort_by(f64::total_cmp);
    let n = draws.len() as f64;
    let steps = cdf(&draws).into_iter().enumerate();
    steps.map(|(i, p)| (p - i as f64 / n).max((i as f64 + 1.0) / n - p)).fold(0.0, f64::max)
}

/// Σ (observed − expected)² / expected over the values.
fn chi_square(draws: &[f64], masses: &[f64]) -> f64 {
    let n = draws.len() as f64;
    let count = |k: usize| draws.iter().filter(|&&v| v == k as f64).count() as f64;
    masses.iter().enumerate().map(|(k, p)| (count(k) - n * p).powi(2) / (n * p)).sum()
}

// A right sampler fails one of these with probability 1e-6 for each family, parameter set and
// dtype, 6e-5 for all of them: P(√n D > t) ≤ 2 exp(−2 t²) at t = 2.694 for Kolmogorov–Smirnov, and the
// tails of χ² with one and two degrees of freedom, erfc(√(t/2)) at 23.93 and exp(−t/2) at 27.63.
fn draws_follow_the_cdf<E: Dtype, D: Backend<E>>() {
    for family in families::<E, D>() {
        let exact = self::family::<f64, Cpu>(family.name);
        for (seed, parameters) in (0..).zip(family.typical) {
            let distribution = family.filled(parameters, DRAWS);
            let draws = distribution.draw(&mut Rng::seed(seed));
            assert_eq!(distribution.outside(&draws), None, "{} {parameters:?}", family.name);
            let draws = wide(&draws);
            let Some(values) = exact.filled(parameters, 1).enumerate_support() else {
                let cdf = |x: &[f64]| wide(&exact.filled(parameters, x.len()).cdf(&row(x)).expect("a cdf"));
                let distance = kolmogorov_smirnov(draws, cdf);
                assert!(distance * (DRAWS as f64).sqrt() < 2.694, "{} {parameters:?}: {distance}", family.name);
                continue;
            };
            let one = exact.filled(parameters, 1);
            let masses: Vec<f64> = values.iter().map(|v| wide(&one.log_prob(v))[0].exp()).collect();
            let limit = if masses.len() == 2 { 23.93 } else { 27.63 };
            let statistic = chi_square(&draws, &masses);
            assert!(statistic < limit, "{} {parameters:?}: {statistic}", family.name);
        }
    }
}

fn a_seed_gives_the_same_draws<E: Dtype, D: Backend<E>>() {
    for family in families::<E, D>() {
        let distribution = family.filled(family.typical[0], 50);
        let draw = |seed| distribution.draw(&mut Rng::seed(seed));
        assert_eq!(draw(5), draw(5), "{}", family.name);
        assert_ne!(draw(5), draw(6), "{}", family.name);
    }
}

both_dtypes! {
    goodness_of_fit = draws_follow_the_cdf;
    seeds = a_seed_gives_the_same_draws;
}
