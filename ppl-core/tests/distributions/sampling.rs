//! Draws follow the cdf, and lie in the support.

use ppl_core::backend::Backend;
use ppl_core::rng::Rng;
use ppl_core::{Cpu, Dtype};
use statrs::function::gamma::gamma_ur;

use crate::density::masses;
use crate::families::{Family, families, family, row, wide};
use crate::quadrature::{between, cuts, density};
use crate::reference::cases;

pub(crate) const DRAWS: usize = 100_000;

/// The cdf at some of the sorted draws (at every 20th), or, where there is none, integrals of the
/// density up to cuts of the line.
pub(crate) fn known_cdf(family: &Family<f64, Cpu>, parameters: &[f64], sorted: &[f64]) -> Vec<(f64, f64)> {
    let points: Vec<f64> = sorted.iter().copied().step_by(20).collect();
    if let Some(reached) = family.filled(parameters, points.len()).cdf(&row(&points)) {
        return points.into_iter().zip(wide(&reached)).collect();
    }
    let cuts = cuts(family, parameters);
    let parts = between(&cuts, |x| density(family, parameters, x));
    let sums = parts.into_iter().scan(0.0, |sum, part| {
        *sum += part;
        Some(*sum)
    });
    cuts[1..].iter().copied().zip(sums).collect()
}

/// The largest distance between the draws' distribution function and the cdf, at points where the
/// latter is known: no more than the largest of all.
pub(crate) fn kolmogorov_smirnov(sorted: &[f64], cdf: &[(f64, f64)]) -> f64 {
    let n = sorted.len() as f64;
    let distance = |&(x, p): &(f64, f64)| {
        let below = sorted.partition_point(|&d| d < x) as f64;
        let upto = sorted.partition_point(|&d| d <= x) as f64;
        (below / n - p).max(p - upto / n)
    };
    cdf.iter().map(distance).fold(0.0, f64::max)
}

/// The probability of a χ² (Σ (observed − expected)² / expected over bins of 10 expected draws or
/// more) at least as large as that of the draws.
pub(crate) fn chi_square(sorted: &[f64], masses: &[(f64, f64)]) -> f64 {
    let n = sorted.len() as f64;
    let upto = |x: f64| sorted.partition_point(|&d| d <= x) as f64;
    let (mut bins, mut before, mut mass): (Vec<(f64, f64)>, f64, f64) = (Vec::new(), 0.0, 0.0);
    for (value, more) in masses {
        mass += more;
        if n * mass >= 10.0 {
            bins.push((upto(*value) - before, n * mass));
            (before, mass) = (upto(*value), 0.0);
        }
    }
    // What is left over joins the last bin.
    let last = bins.last_mut().expect("a bin");
    *last = (last.0 + n - before, last.1 + n * mass);
    let statistic: f64 = bins.iter().map(|(found, expected)| (found - expected).powi(2) / expected).sum();
    let freedom = bins.len() as f64 - 1.0;
    if freedom == 0.0 || statistic == 0.0 { 1.0 } else { gamma_ur(0.5 * freedom, 0.5 * statistic) }
}

// A right sampler fails with probability 1e-7 for each family, parameter set and dtype, 4e-5 for 400 of
// them: P(√n D > t) ≤ 2 exp(−2 t²) at t = 2.9 for Kolmogorov–Smirnov, and the tail of χ².
fn draws_follow_the_cdf<E: Dtype, D: Backend<E>>() {
    for family in families::<E, D>() {
        let exact = self::family::<f64, Cpu>(family.name);
        for (seed, parameters) in (0..).zip(family.typical) {
            let distribution = family.filled(parameters, DRAWS);
            let draws = distribution.draw(&mut Rng::seed(seed));
            let place = format!("{} {parameters:?}", family.name);
            assert_eq!(distribution.outside(&draws), None, "{place}");
            let mut sorted = wide(&draws);
            sorted.sort_unstable_by(f64::total_cmp);
            if family.is_discrete() {
                let chance = chi_square(&sorted, &masses(&exact, parameters).expect("not too many"));
                assert!(chance > 1e-7, "{place}: χ² as large has probability {chance:e}");
            } else {
                let distance = kolmogorov_smirnov(&sorted, &known_cdf(&exact, parameters, &sorted));
                assert!(distance * (DRAWS as f64).sqrt() < 2.9, "{place}: {distance}");
            }
        }
    }
}

fn draws_lie_in_the_support<E: Dtype, D: Backend<E>>() {
    for case in cases() {
        let distribution = family::<E, D>(&case.family).filled(&case.parameters, 500);
        let draws = distribution.draw(&mut Rng::seed(77));
        let outside = distribution.outside(&draws).map(|at| draws.to_vec()[at]);
        assert_eq!(outside, None, "{} {:?}", case.family, case.parameters);
        let log_prob = wide(&distribution.log_prob(&draws));
        let possible = log_prob.iter().all(|l| *l > f64::NEG_INFINITY);
        assert!(possible, "{} {:?}: an impossible draw", case.family, case.parameters);
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
    support = draws_lie_in_the_support;
    seeds = a_seed_gives_the_same_draws;
}

/// How many standard errors the mean of independent terms lies from `expected`; 0 where it is within
/// rounding.
pub(crate) fn deviation<E: Dtype>(terms: &[f64], expected: f64) -> f64 {
    let n = terms.len() as f64;
    // From `expected` on, so that a long sum of equal terms is not off by its rounding.
    let distance = terms.iter().map(|t| t - expected).sum::<f64>() / n;
    let variance = terms.iter().map(|t| (t - expected - distance).powi(2)).sum::<f64>() / (n - 1.0);
    let rounding = 4.0 * E::epsilon().wide() * terms.iter().map(|t| t.abs()).fold(expected.abs(), f64::max);
    let off = (distance.abs() - rounding).max(0.0);
    if off == 0.0 { 0.0 } else { off / (variance / n).sqrt() }
}
