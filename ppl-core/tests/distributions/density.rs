//! Densities integrate to one, masses sum to one, and quantiles invert the cdf.

use std::f64::consts::PI;

use ppl_core::Dtype;
use ppl_core::backend::Backend;

use crate::families::{Univariate, families, family, row, wide};
use crate::reference::{cases, tolerance};

/// How many points of each stretch are evaluated.
const NODES: usize = 24;

/// Gauss–Legendre nodes and weights on [−1, 1], by Newton's method on the polynomial.
fn gauss_legendre() -> [(f64, f64); NODES] {
    std::array::from_fn(|i| {
        let mut x = (PI * (i as f64 + 0.75) / (NODES as f64 + 0.5)).cos();
        let mut slope = 0.0;
        for _ in 0..20 {
            let (mut before, mut value) = (1.0, x);
            for k in 2..=NODES {
                let k = k as f64;
                (before, value) = (value, ((2.0 * k - 1.0) * x * value - (k - 1.0) * before) / k);
            }
            slope = NODES as f64 * (x * value - before) / (x * x - 1.0);
            x -= value / slope;
        }
        (x, 2.0 / ((1.0 - x * x) * slope * slope))
    })
}

/// Quantiles that cut the line into stretches on which a density is smooth: at equal steps of the
/// log-odds, up to where the dtype still tells the probability from one.
fn cuts<E: Dtype>() -> Vec<f64> {
    let last = if E::NAME == "f64" { 27.0 } else { 15.0 };
    let steps = (4.0 * last) as i32;
    (0..=steps).map(|i| 1.0 / (1.0 + (last - 0.5 * f64::from(i)).exp())).collect()
}

/// The density's integral between the outermost cuts.
fn integral<E: Dtype, D: Backend<E>>(name: &str, parameters: &[f64]) -> f64 {
    let family = family::<E, D>(name);
    let quantiles = cuts::<E>();
    let ends = wide(&family.filled(parameters, quantiles.len()).icdf(&row(&quantiles)).expect("quantiles"));
    let rule = gauss_legendre();
    let stretches = ends.windows(2).map(|w| (0.5 * (w[0] + w[1]), 0.5 * (w[1] - w[0])));
    let (points, weights): (Vec<f64>, Vec<f64>) =
        stretches.flat_map(|(middle, half)| rule.map(|(x, weight)| (middle + half * x, half * weight))).unzip();
    let log_density = wide(&family.filled(parameters, points.len()).log_prob(&row(&points)));
    log_density.iter().zip(&weights).map(|(l, w)| l.exp() * w).sum()
}

fn is_discrete<E: Dtype, D: Backend<E>>(distribution: &dyn Univariate<E, D>) -> bool {
    distribution.has_discrete_support()
}

fn integrates_to_one<E: Dtype, D: Backend<E>>() {
    let outside = 2.0 * cuts::<E>()[0];
    let mut seen = 0;
    for case in cases() {
        if is_discrete(&*family::<E, D>(&case.family).filled(&case.parameters, 1)) {
            continue;
        }
        seen += 1;
        let total = integral::<E, D>(&case.family, &case.parameters);
        let off = (total + outside - 1.0).abs();
        assert!(off < tolerance::<E>(), "{} {:?} integrates to {total}", case.family, case.parameters);
    }
    assert!(seen >= 25, "{seen} continuous cases");
}

fn masses_sum_to_one<E: Dtype, D: Backend<E>>() {
    let mut seen = 0;
    for case in cases() {
        let distribution = family::<E, D>(&case.family).filled(&case.parameters, 1);
        assert_eq!(distribution.enumerate_support().is_some(), is_discrete(&*distribution), "{}", case.family);
        let Some(values) = distribution.enumerate_support() else { continue };
        seen += 1;
        let total: f64 = values.iter().map(|v| wide(&distribution.log_prob(v))[0].exp()).sum();
        assert!((total - 1.0).abs() < tolerance::<E>(), "{} {:?} sums to {total}", case.family, case.parameters);
        for value in &values {
            assert_eq!(distribution.outside(&value), None, "{}", case.family);
        }
    }
    assert!(seen >= 15, "{seen} discrete cases");
}

fn quantiles_invert_the_cdf<E: Dtype, D: Backend<E>>() {
    let probabilities = [0.001, 0.05, 0.3, 0.5, 0.7, 0.9];
    for family in families::<E, D>() {
        for parameters in family.typical {
            let distribution = family.filled(parameters, probabilities.len());
            if is_discrete(&*distribution) {
                for value in family.filled(parameters, 1).enumerate_support().into_iter().flatten() {
                    let one = family.filled(parameters, 1);
                    let again = one.icdf(&one.cdf(&value).expect("a cdf")).expect("quantiles");
                    assert_eq!(again, value, "{} {parameters:?}", family.name);
                }
                continue;
            }
            let value = distribution.icdf(&row(&probabilities)).expect("quantiles");
            let reached = distribution.cdf(&value).expect("a cdf");
            let again = distribution.icdf(&reached).expect("quantiles");
            assert_eq!(distribution.outside(&value), None, "{}", family.name);
            let pairs = wide(&reached).into_iter().zip(probabilities).chain(wide(&again).into_iter().zip(wide(&value)));
            for (found, expected) in pairs {
                let off = (found - expected).abs();
                let allowed = tolerance::<E>() * expected.abs().max(1e-2);
                assert!(off <= allowed, "{} {parameters:?}: {found}, not {expected}", family.name);
            }
        }
    }
}

both_dtypes! {
    quadrature = integrates_to_one;
    masses = masses_sum_to_one;
    round_trip = quantiles_invert_the_cdf;
}
