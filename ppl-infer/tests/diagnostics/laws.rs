//! What must hold of any draws, to the last digits: what a figure does when the draws are measured in
//! another unit, mapped, reordered.

use ppl_infer::diagnostics::{
    Chains, bfmi, ess_bulk, ess_mean, ess_quantile, ess_sd, ess_tail, hdi, mcse_mean, mcse_quantile, mcse_sd, mean,
    quantile, rhat, rhat_bulk, rhat_folded, rhat_split, sd,
};

use crate::against_arviz::chains;
use crate::processes::autoregressive;

type Figure = (&'static str, fn(&Chains<'_>) -> f64);

/// Figures without a unit.
const SCALE_FREE: [Figure; 10] = [
    ("rhat", rhat),
    ("rhat_bulk", rhat_bulk),
    ("rhat_folded", rhat_folded),
    ("rhat_split", rhat_split),
    ("ess_bulk", ess_bulk),
    ("ess_tail", ess_tail),
    ("ess_mean", ess_mean),
    ("ess_sd", ess_sd),
    ("ess_quantile", |c| ess_quantile(c, 0.3)),
    ("bfmi", |c| bfmi(c)[1]),
];

/// Figures in the unit of the draws that do not change when all draws are shifted.
const SPREADS: [Figure; 5] = [
    ("sd", sd),
    ("mcse_mean", mcse_mean),
    ("mcse_sd", mcse_sd),
    ("mcse_quantile", |c| mcse_quantile(c, 0.3)),
    ("width of hdi", |c| hdi(c, 0.94)[1] - hdi(c, 0.94)[0]),
];

/// Figures in the unit of the draws that move with them.
const PLACES: [Figure; 3] = [("mean", mean), ("quantile", |c| quantile(c, 0.3)), ("hdi", |c| hdi(c, 0.5)[0])];

/// Correlated chains, one of them off, as multiples of 2⁻²⁰: what is dyadic is exact.
fn draws() -> Vec<Vec<f64>> {
    let mut draws = autoregressive(20, 3, 151, 0.6);
    draws[2].iter_mut().for_each(|x| *x = 0.3 + 1.4 * *x);
    mapped(&draws, |x| (x * 2.0_f64.powi(20)).round() / 2.0_f64.powi(20))
}

fn mapped(draws: &[Vec<f64>], f: impl Fn(f64) -> f64) -> Vec<Vec<f64>> {
    draws.iter().map(|chain| chain.iter().map(|&x| f(x)).collect()).collect()
}

#[track_caller]
fn close(what: &str, found: f64, expected: f64, tolerance: f64) {
    let error = (found / expected - 1.0).abs();
    assert!(error <= tolerance, "{what}: {found:e} and {expected:e}, off by {error:e}");
}

/// Errors and spreads follow the unit, sample sizes and R-hat know of none, however small or large it is.
#[test]
fn units() {
    let original = draws();
    let here = chains(&original);
    let powers = [-1000, -500, -60, -1, 3, 300, 960].map(|exponent| 2.0_f64.powi(exponent));
    for unit in powers.into_iter().chain([1e-290, 1e-150, 1e-20, 1e-12, 1e-7, 0.3, 7.0, 1e9, 1e80, 1e150, 1e290]) {
        let scaled = mapped(&original, |x| x * unit);
        let there = chains(&scaled);
        for (name, figure) in SCALE_FREE {
            // The two draws beside the median are equally far from it; which one is nearer after rounding
            // decides their ranks. So it is in ArviZ.
            if powers.contains(&unit) || !matches!(name, "rhat" | "rhat_folded") {
                close(&format!("{name} × {unit:e}"), figure(&there), figure(&here), 1e-12);
            }
        }
        for (name, figure) in SPREADS.into_iter().chain(PLACES) {
            close(&format!("{name} × {unit:e}"), figure(&there) / unit, figure(&here), 1e-12);
        }
    }
}

#[test]
fn shifts() {
    let original = draws();
    let here = chains(&original);
    for shift in [-3.0, 0.125, 1e4, -1e7] {
        let moved = mapped(&original, |x| x + shift);
        let there = chains(&moved);
        for (name, figure) in SCALE_FREE.into_iter().chain(SPREADS) {
            close(&format!("{name} + {shift:e}"), figure(&there), figure(&here), 1e-9);
        }
        for (name, figure) in PLACES {
            let error = (figure(&there) - shift - figure(&here)).abs();
            assert!(error <= 1e-15 * f64::max(10.0, shift.abs()), "{name} + {shift:e}: off by {error:e}");
        }
    }
}

/// Ranks know nothing of increasing maps, so that what is made of them does not change by a bit.
#[test]
fn increasing_maps() {
    let original = draws();
    let here = chains(&original);
    let maps: [(&str, fn(f64) -> f64); 3] =
        [("exp", f64::exp), ("cube", |x| x * x * x), ("heavy tails", |x| x.signum() * x.abs().exp_m1().powi(20))];
    let by_rank: [Figure; 4] = [
        ("rhat_bulk", rhat_bulk),
        ("ess_bulk", ess_bulk),
        ("ess_tail", ess_tail),
        ("ess_quantile", |c| ess_quantile(c, 0.3)),
    ];
    for (map, f) in maps {
        let there = mapped(&original, f);
        for (name, figure) in by_rank {
            assert_eq!(figure(&chains(&there)), figure(&here), "{name} under {map}");
        }
        assert!(ess_mean(&chains(&there)) != ess_mean(&here), "means are not ranks");
    }
}

/// Tenths, most of which are no binary fractions, are tied like the integers that they are tenths of. (ArviZ's
/// quantile between two equal draws may lie a rounding below both, and then its indicator leaves them out.)
#[test]
fn ties_are_ties_in_any_unit() {
    let integers = mapped(&autoregressive(22, 5, 93, 0.5), |x| (10.0 * x).round());
    let tenths = mapped(&integers, |x| x / 10.0);
    let [integers, tenths] = [chains(&integers), chains(&tenths)];
    assert_eq!(
        [ess_bulk, ess_tail, rhat_bulk].map(|f| f(&tenths)),
        [ess_bulk, ess_tail, rhat_bulk].map(|f| f(&integers))
    );
    for prob in (1..100).map(|percent| f64::from(percent) / 100.0) {
        assert_eq!(ess_quantile(&tenths, prob), ess_quantile(&integers, prob), "at {prob}");
    }
}

/// The sample size of a quantile is that of the indicator's mean, a chain that stands still at the quantile
/// included.
#[test]
fn quantiles_are_means_of_indicators() {
    let mut draws = autoregressive(23, 4, 47, 0.0);
    draws[1].fill(-1.1);
    let here = chains(&draws);
    for prob in [0.05, 0.15, 0.3, 0.5, 0.9] {
        let value = quantile(&here, prob);
        let indicator = mapped(&draws, |x| f64::from(u8::from(x <= value)));
        assert_eq!(ess_quantile(&here, prob), ess_mean(&chains(&indicator)), "at {prob}");
    }
    assert!(quantile(&here, 0.15) == -1.1 && ess_quantile(&here, 0.15) < 8.0);
}

/// A mirror, another order of the chains, time run backwards: nothing but the sign of places changes.
#[test]
fn mirrors_and_orders() {
    let original = draws();
    let here = chains(&original);
    let mut reversed = original.clone();
    reversed.iter_mut().for_each(|chain| chain.reverse());
    let mut rotated = original.clone();
    rotated.rotate_left(1);
    for (change, there) in [("mirror", mapped(&original, |x| -x)), ("backwards", reversed), ("order", rotated)] {
        let there = chains(&there);
        for (name, figure) in SCALE_FREE.into_iter().chain(SPREADS) {
            let of_one_chain_or_side =
                matches!((name, change), ("bfmi", "order") | ("ess_quantile" | "mcse_quantile", "mirror"));
            if !of_one_chain_or_side {
                close(&format!("{name}, {change}"), figure(&there), figure(&here), 1e-10);
            }
        }
    }
    let mirrored = mapped(&original, |x| -x);
    close("a mirrored quantile", ess_quantile(&chains(&mirrored), 0.7), ess_quantile(&here, 0.3), 1e-10);
}

/// The mean's error is what the definition says: sd² = error² · sample size.
#[test]
fn error_spread_and_size_belong_together() {
    let original = draws();
    let here = chains(&original);
    close("sd² / mcse²", (sd(&here) / mcse_mean(&here)).powi(2), ess_mean(&here), 1e-12);
}

/// The farther apart the chains, the fewer their draws count and the higher R-hat; a sample size that looks
/// at each chain's own correlation alone would not notice.
#[test]
fn chains_apart_count_less() {
    let original = autoregressive(21, 4, 200, 0.0);
    let figures: Vec<[f64; 5]> = [0.0, 0.3, 1.0, 3.0, 30.0]
        .iter()
        .map(|shift| {
            let mut draws = original.clone();
            draws[0].iter_mut().for_each(|x| *x += shift);
            let there = chains(&draws);
            [ess_bulk, ess_mean, rhat, rhat_split, mcse_mean].map(|figure| figure(&there))
        })
        .collect();
    for pair in figures.windows(2) {
        assert!(pair[1][0] < pair[0][0] && pair[1][1] < pair[0][1], "sample sizes: {figures:?}");
        assert!((2..5).all(|i| pair[1][i] > pair[0][i]), "R-hat, error: {figures:?}");
    }
    let last = figures[4];
    assert!(last[1] < 8.0 && last[3] > 10.0, "{last:?}");
}
