//! Processes whose figures are known, drawn with fixed seeds.
//!
//! The spreads of the estimates were measured in ArviZ over 300 replications. Every bound is their bias and
//! five spreads, which fails a right estimate with one seed in a million.

use ppl_core::rng::Rng;
use ppl_infer::diagnostics::{
    Chains, bfmi, ess_bulk, ess_mean, ess_sd, mcse_mean, mcse_quantile, mcse_sd, mean, psislw, quantile, rhat,
    rhat_bulk, rhat_folded, rhat_split, sd,
};
use rand_distr::{Distribution, Exp1, StandardNormal};

use crate::against_arviz::chains;

/// Stationary chains xₜ = ρ xₜ₋₁ + √(1 − ρ²) ε of variance 1.
pub(crate) fn autoregressive(seed: u64, chains: usize, draws: usize, rho: f64) -> Vec<Vec<f64>> {
    let mut rng = Rng::seed(seed);
    let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
    let mut chain = || {
        let mut x = normal();
        (0..draws)
            .map(|_| {
                let now = x;
                x = rho * x + (1.0 - rho * rho).sqrt() * normal();
                now
            })
            .collect()
    };
    (0..chains).map(|_| chain()).collect()
}

#[track_caller]
fn within(what: &str, found: f64, expected: f64, bound: f64) {
    assert!((found / expected - 1.0).abs() < bound, "{what}: {found} for {expected}, bound {bound}");
}

/// The autocorrelation ρᵗ sums to an effective share (1 − ρ) / (1 + ρ); that of squares, ρ²ᵗ, to
/// (1 − ρ²) / (1 + ρ²). Relative spreads of one run are 0.086, 0.039, 0.021 and 0.046, biases at most 0.01;
/// of 25 runs on average the spreads are a fifth.
#[test]
fn effective_sizes_of_autoregressions() {
    for (seed, rho, bound) in [(100, 0.9, 0.1), (200, 0.5, 0.05), (300, 0.0, 0.033), (400, -0.5, 0.056)] {
        let mut shares = [0.0; 3];
        for run in 0..25 {
            let draws = autoregressive(seed + run, 4, 5000, rho);
            let draws = chains(&draws);
            let now = [ess_mean(&draws), ess_bulk(&draws), ess_sd(&draws)];
            shares.iter_mut().zip(now).for_each(|(share, now)| *share += now / 20_000.0 / 25.0);
        }
        let [of_rho, of_square] = [rho, rho * rho].map(|rho| (1.0 - rho) / (1.0 + rho));
        let expected = [("ess_mean", of_rho), ("ess_bulk", of_rho), ("ess_sd", of_square)];
        for ((name, expected), share) in expected.into_iter().zip(shares) {
            within(&format!("{name} at {rho}"), share, expected, bound);
        }
    }
}

/// The errors say how far the estimates of 2000 runs lie apart, in any unit. The spread of a spread from 2000
/// runs is 1/√4000 = 0.016 of it, the bias of the errors at most 0.015.
#[test]
fn errors_are_the_spread_of_estimates() {
    let unit = 1e-9;
    let runs = 2000;
    let mut estimates = [vec![], vec![], vec![]];
    let mut errors = [0.0; 3];
    for seed in 0..runs {
        let mut draws = autoregressive(1000 + seed, 4, 250, 0.6);
        draws.iter_mut().flatten().for_each(|x| *x = unit * (*x + 2.0));
        let draws = chains(&draws);
        let now = [mean(&draws), sd(&draws), quantile(&draws, 0.9)];
        estimates.iter_mut().zip(now).for_each(|(all, now)| all.push(now));
        let now = [mcse_mean(&draws), mcse_sd(&draws), mcse_quantile(&draws, 0.9)];
        errors.iter_mut().zip(now).for_each(|(sum, now)| *sum += now / runs as f64);
    }
    for ((name, estimates), error) in ["mean", "sd", "quantile"].into_iter().zip(&estimates).zip(errors) {
        let spread = sd(&Chains::new(&[estimates]).expect("a chain"));
        within(name, spread / error, 1.0, 0.1);
    }
}

/// Two of four chains a distance 1 apart: the eight halves' means have variance 8/7 · 1/4, so that R-hat
/// tends to √(1 + 2/7); its relative spread is 0.0033. Bulk and folded R-hat tell location from scale. The
/// other bounds are ten spreads away.
#[test]
fn r_hat_tells_location_from_scale() {
    let good = autoregressive(5, 4, 5000, 0.0);
    let at_most = 1.01;
    assert!([rhat, rhat_bulk, rhat_folded, rhat_split].iter().all(|r| r(&chains(&good)) < at_most));

    let mut apart = good.clone();
    apart[2..].iter_mut().flatten().for_each(|x| *x += 1.0);
    within("R-hat", rhat_split(&chains(&apart)), (9.0_f64 / 7.0).sqrt(), 0.017);
    assert!(rhat_bulk(&chains(&apart)) > 1.1 && rhat(&chains(&apart)) == rhat_bulk(&chains(&apart)));

    let mut wider = good;
    wider[2..].iter_mut().flatten().for_each(|x| *x *= 3.0);
    let wider = chains(&wider);
    assert!(rhat_folded(&wider) > 1.1 && rhat(&wider) == rhat_folded(&wider));
    assert!(rhat_bulk(&wider) < at_most && rhat_split(&wider) < at_most);
}

/// Cauchy draws have no mean, but ranks: R-hat and bulk size see nothing wrong with independent ones.
#[test]
fn ranks_need_no_moments() {
    let normal = autoregressive(6, 8, 1000, 0.0);
    let ratio = |pair: &[Vec<f64>]| pair[0].iter().zip(&pair[1]).map(|(a, b)| a / b).collect::<Vec<f64>>();
    let cauchy: Vec<Vec<f64>> = normal.chunks(2).map(ratio).collect();
    let cauchy = chains(&cauchy);
    assert!(rhat(&cauchy) < 1.01 && ess_bulk(&cauchy) > 3000.0, "{} {}", rhat(&cauchy), ess_bulk(&cauchy));
}

/// Steps of an autoregression have variance 2 (1 − ρ). Relative spreads: 0.013 and 0.032.
#[test]
fn energies_that_move_slowly() {
    for (seed, rho, bound) in [(7, 0.5, 0.067), (8, 0.9, 0.17)] {
        let energy = autoregressive(seed, 1, 20_000, rho);
        within("E-BFMI", bfmi(&chains(&energy))[0], 2.0 * (1.0 - rho), bound);
    }
}

/// The exponential of k times an exponential variable is Pareto of shape k, which the estimate has drawn
/// towards 1/2 by ten observations of a tail of 190. Spreads of one run are 0.093 and 0.123, biases 0.007; of
/// 25 runs on average the spreads are a fifth.
#[test]
fn tails_of_known_shape() {
    for (seed, shape, bound) in [(9, 0.3, 0.1), (10, 0.9, 0.13)] {
        let mut rng = Rng::seed(seed);
        let mut exponential = || -> f64 { Exp1.sample(&mut rng) };
        let mut of_run = || psislw(&(0..4000).map(|_| shape * exponential()).collect::<Vec<f64>>(), 1.0).1;
        let k = (0..25).map(|_| of_run()).sum::<f64>() / 25.0;
        let expected = (190.0 * shape + 5.0) / 200.0;
        assert!((k - expected).abs() < bound, "{k} for {expected}");
    }
}
