//! Densities of draws: SciPy's and ArviZ's, one in all, and where they end.

use ppl_infer::pictures::KernelDensity;
use serde::Deserialize;

#[derive(Deserialize)]
struct References {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    draws: Vec<f64>,
    bandwidth: f64,
    at: Vec<f64>,
    scipy: Vec<f64>,
    arviz: Vec<f64>,
}

/// `scripts/reference_densities.py`.
fn cases() -> Vec<Case> {
    serde_json::from_str::<References>(include_str!("../references/densities.json")).unwrap().cases
}

#[test]
fn a_density_is_scipys_with_reflected_ends() {
    for case in cases() {
        let density = KernelDensity::new(&case.draws).unwrap().unwrap();
        assert!((density.bandwidth() / case.bandwidth - 1.0).abs() < 1e-12, "{}", case.name);
        let highest = case.scipy.iter().copied().fold(0.0, f64::max);
        for (at, expected) in case.at.iter().zip(&case.scipy) {
            let found = density.density(*at);
            assert!((found - expected).abs() < 1e-10 * highest, "{} at {at}: {found}, SciPy: {expected}", case.name);
        }
    }
}

/// ArviZ counts draws in bins first: to 1 % of the highest place, but for the two ends, where its reflected bins are up
/// to 8 % below the sum of the kernels.
#[test]
fn between_its_ends_a_density_is_arvizs() {
    for case in cases() {
        let density = KernelDensity::new(&case.draws).unwrap().unwrap();
        let highest = case.arviz.iter().copied().fold(0.0, f64::max);
        for (at, expected) in case.at.iter().zip(&case.arviz).skip(1).take(case.at.len() - 2) {
            let found = density.density(*at);
            assert!((found - expected).abs() < 0.01 * highest, "{} at {at}: {found}, ArviZ: {expected}", case.name);
        }
    }
}

/// Reflected, a density goes on evenly beyond its ends, and a trapezoidal sum of it is exact to rounding.
#[test]
fn a_density_integrates_to_one() {
    let few = vec![vec![1.0, 2.0], vec![-3.0, 5.0, 5.5], vec![0.0, 0.0, 0.0, 0.0, 9.0]];
    let all = cases().into_iter().map(|case| case.draws).chain(few);
    for draws in all {
        let curve = KernelDensity::new(&draws).unwrap().unwrap().curve(4001);
        let area: f64 = curve.windows(2).map(|ends| (ends[1].0 - ends[0].0) * (ends[0].1 + ends[1].1) / 2.0).sum();
        assert!((area - 1.0).abs() < 1e-9, "{area}");
    }
}

#[test]
fn a_density_ends_where_the_draws_do() {
    let density = KernelDensity::new(&[1.0, 2.0, 4.0]).unwrap().unwrap();
    assert_eq!(density.support(), [1.0, 4.0]);
    assert_eq!([density.density(0.99), density.density(4.01), density.density(f64::NAN)], [0.0; 3]);
    assert!(density.density(1.0) > 0.0 && density.density(4.0) > 0.0);
    let curve = density.curve(5);
    assert_eq!(curve.iter().map(|point| point.0).collect::<Vec<_>>(), [1.0, 1.75, 2.5, 3.25, 4.0]);
}

#[test]
fn what_has_no_density() {
    assert!(KernelDensity::new(&[]).is_err());
    for draws in [&[3.0][..], &[2.0, 2.0, 2.0], &[1.0, f64::NAN], &[1.0, f64::INFINITY, 2.0]] {
        assert_eq!(KernelDensity::new(draws).unwrap(), None, "{draws:?}");
    }
}
