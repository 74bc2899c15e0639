//! WAIC and PSIS-LOO against ArviZ, and against exact leave-one-out densities.

use std::f64::consts::TAU;

use ppl_infer::diagnostics::{Chains, LogLikelihood, loo, psislw, relative_efficiency, waic, z_scale};
use serde_json::Value;

use crate::against_arviz::{Differences, chains, number, numbers, reference, rows};

fn shape(case: &Value) -> [usize; 3] {
    let shape = numbers(&case["shape"]);
    [0, 1, 2].map(|i| shape[i] as usize)
}

/// Smoothed weights in the order of the raw ones; which of equal ones comes first is left to the sort.
fn in_order(raw: &[f64], smooth: Vec<f64>) -> Vec<f64> {
    let mut pairs: Vec<(f64, f64)> = raw.iter().copied().zip(smooth).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    pairs.into_iter().map(|(_, weight)| weight).collect()
}

#[test]
fn waic_and_loo_are_those_of_arviz() {
    let reference = reference();
    let mut differences = Differences::new();
    let mut high = 0;
    for case in reference["comparisons"].as_array().expect("comparisons") {
        differences.begin(case, 1.0);
        let d = &mut differences;
        let values = numbers(&case["log_likelihood"]);
        let [num_chains, draws, observations] = shape(case);
        let table = LogLikelihood::new(&values, num_chains, draws, observations).expect("its shape");
        let mu = rows(&case["mu"]);
        let reff = relative_efficiency(&[chains(&mu)]);
        d.compare("reff", reff, number(&case["reff"]));

        let found = loo(&table, reff).expect("an efficiency");
        let each = [found.elpd_loo, found.se, found.p_loo, found.good_k];
        let names = ["elpd_loo", "se", "p_loo", "good_k"];
        names.iter().zip(each).zip(numbers(&case["loo"])).for_each(|((name, f), e)| d.compare_in_unit(name, f, e));
        let expected = numbers(&case["pareto_k"]);
        assert_eq!(found.high_k(), expected.iter().filter(|&&k| k > 0.7).count());
        high += found.high_k();
        found.loo_i.iter().zip(numbers(&case["loo_i"])).for_each(|(&f, e)| d.compare("loo_i", f, e));
        found.pareto_k.iter().zip(expected).for_each(|(&f, e)| d.compare("pareto_k", f, e));

        let first: Vec<f64> = values.iter().step_by(observations).map(|l| -l).collect();
        let (weights, _) = psislw(&first, reff);
        let [found_weights, expected] =
            [weights, numbers(&case["log_weights"])].map(|weights| in_order(&first, weights));
        found_weights.into_iter().zip(expected).for_each(|(f, e)| d.compare("log weight", f, e));

        let found = waic(&table);
        let each = [found.elpd_waic, found.se, found.p_waic];
        let names = ["elpd_waic", "se", "p_waic"];
        names.iter().zip(each).zip(numbers(&case["waic"])).for_each(|((name, f), e)| d.compare_in_unit(name, f, e));
        found.waic_i.iter().zip(numbers(&case["waic_i"])).for_each(|(&f, e)| d.compare("waic_i", f, e));
    }
    differences.none(1500);
    assert!(high >= 3, "the cases with outliers show high shapes");
}

/// Draws of the exact posterior N(ȳ, 1/n) of the mean of n normal observations of scale 1 under a flat
/// prior, at equal probabilities rather than at random: integrals over them are as good as quadrature.
fn conjugate(y: &[f64], draws: usize) -> Vec<f64> {
    let n = y.len() as f64;
    let middle = y.iter().sum::<f64>() / n;
    let places: Vec<f64> = (0..draws).map(|i| f64::from(u32::try_from(i).expect("few draws"))).collect();
    let scores = z_scale(&Chains::new(&[&places]).expect("a chain"));
    scores.iter().map(|z| middle + z / n.sqrt()).collect()
}

fn normal_log_density(x: f64, mean: f64, variance: f64) -> f64 {
    -0.5 * ((x - mean).powi(2) / variance + variance.ln() + TAU.ln())
}

/// yᵢ given all others is N(mean of the others, 1 + 1/(n − 1)); given all, itself too, N(ȳ, 1 + 1/n); the
/// variance of its log-density under the posterior is s⁴/2 + d² s² with s² = 1/n and d = yᵢ − ȳ.
#[test]
fn a_normal_mean_has_these_in_closed_form() {
    let y = [-1.2, 0.4, 0.9, 1.5, -0.3, 0.0, 2.1, -0.8];
    let n = y.len() as f64;
    let mu = conjugate(&y, 200_000);
    let values: Vec<f64> = mu.iter().flat_map(|m| y.map(|y| normal_log_density(y, *m, 1.0))).collect();
    let table = LogLikelihood::new(&values, 4, mu.len() / 4, y.len()).expect("its shape");
    let (by_waic, by_loo) = (waic(&table), loo(&table, 1.0).expect("an efficiency"));
    let total: f64 = y.iter().sum();
    for (i, &x) in y.iter().enumerate() {
        let exact = normal_log_density(x, (total - x) / (n - 1.0), n / (n - 1.0));
        assert!((by_loo.loo_i[i] - exact).abs() < 2e-3, "{i}: {} and {exact}", by_loo.loo_i[i]);
        let lpd = normal_log_density(x, total / n, 1.0 + 1.0 / n);
        assert!((by_loo.p_loo_i[i] - (lpd - exact)).abs() < 2e-3);
        let variance = 0.5 / (n * n) + (x - total / n).powi(2) / n;
        assert!((by_waic.p_waic_i[i] / variance - 1.0).abs() < 2e-3, "{i}: {} and {variance}", by_waic.p_waic_i[i]);
        assert!((by_waic.waic_i[i] - (lpd - variance)).abs() < 1e-3);
    }
    // Of 2.1 the variance is 0.402.
    assert!(by_loo.high_k() == 0 && by_waic.high_variance() == 1);
}

/// A constant added to an observation's log-likelihood (a unit of measurement) is added to its elpd and
/// changes no shape and no number of parameters.
#[test]
fn units_of_observations_move_elpd_alone() {
    let y = [-1.2, 0.4, 3.9];
    let mu = conjugate(&y, 400);
    let values = |shift: f64| -> Vec<f64> {
        mu.iter().flat_map(|m| y.map(|y| normal_log_density(y, *m, 1.0) + shift)).collect()
    };
    let (here, there) = (values(0.0), values(-300.0));
    let [here, there] = [&here, &there].map(|v| LogLikelihood::new(v, 2, 200, 3).expect("its shape"));
    let (a, b) = (loo(&here, 0.8).expect("an efficiency"), loo(&there, 0.8).expect("an efficiency"));
    let close = |x: f64, y: f64| (x - y).abs() < 1e-9;
    assert!(close(a.elpd_loo, b.elpd_loo + 900.0) && close(a.p_loo, b.p_loo) && close(a.se, b.se));
    assert!(a.pareto_k.iter().zip(&b.pareto_k).all(|(x, y)| close(*x, *y)));
    let (a, b) = (waic(&here), waic(&there));
    assert!(close(a.elpd_waic, b.elpd_waic + 900.0) && close(a.p_waic, b.p_waic) && close(a.se, b.se));
}
