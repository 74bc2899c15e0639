//! Values, inverses and ln |det J| against mpmath, torch and NumPyro, also far into the tails.
//!
//! The table is made by `scripts/reference_transforms.py`.

use ppl_core::Dtype;
use ppl_core::backend::Backend;
use serde_json::Value;

use crate::both_dtypes;
use crate::table::{ELEMENTS, ROWS, row, transform, wide};

struct Case {
    transform: String,
    x: Vec<f64>,
    y: Vec<f64>,
    log_abs_det: Vec<f64>,
}

fn cases() -> Vec<Case> {
    let table: Vec<Value> =
        serde_json::from_str(include_str!("../references/transforms.json")).expect("the table is JSON");
    let number = |v: &Value| v.as_f64().or_else(|| v.as_str()?.parse().ok()).expect("a number");
    let numbers = |case: &Value, key: &str| case[key].as_array().expect("a list").iter().map(number).collect();
    let case = |case: &Value| Case {
        transform: case["transform"].as_str().expect("a name").into(),
        x: numbers(case, "x"),
        y: numbers(case, "y"),
        log_abs_det: numbers(case, "log_abs_det"),
    };
    table.iter().map(case).collect()
}

/// The relative tolerance of a dtype.
fn tolerance<E: Dtype>() -> f64 {
    if E::NAME == "f64" { 1e-12 } else { 1e-6 }
}

/// Whether a value is the expected one; what overflows is the largest number, and what vanishes the
/// smallest, so that an image stays inside.
fn equal<E: Dtype>(found: f64, expected: f64) -> bool {
    let (tiny, max) = (E::min_positive_value().wide(), E::max_value().wide());
    found == expected
        || (expected.abs() > max && found == max.copysign(expected))
        || (found - expected).abs() <= tolerance::<E>() * expected.abs() + tiny
}

fn values_and_jacobians<E: Dtype, D: Backend<E>>() {
    for Case { transform: name, x, y, log_abs_det } in cases() {
        let map = transform::<E, D>(&name, x.len());
        let argument = row(&x);
        let image = map.forward(argument.clone());
        let (found, found_log) = (wide(&image), wide(&map.log_abs_det(&argument, &image)));
        assert_eq!((found.len(), found_log.len()), (y.len(), log_abs_det.len()), "{name}");
        for (i, (&found, &expected)) in found.iter().zip(&y).enumerate() {
            assert!(equal::<E>(found, expected), "{name} {x:?}: value {i} is {found}, not {expected}");
        }
        for (i, (&found, &expected)) in found_log.iter().zip(&log_abs_det).enumerate() {
            let allowed = tolerance::<E>() * expected.abs().max(1.0);
            let close = found == expected || (found - expected).abs() <= allowed;
            assert!(close, "{name} {x:?}: ln |det J| {i} is {found}, not {expected}");
        }
    }
}

/// The inverse gives the argument back, up to what rounding its image has lost: ε |y| over the slope.
fn inverses_of_elements<E: Dtype, D: Backend<E>>() {
    let mut checked = 0;
    for Case { transform: name, x, y, log_abs_det } in cases().into_iter().filter(|c| c.x.len() > 6) {
        let found = wide(&transform::<E, D>(&name, 1).inverse(row(&y)));
        for i in 0..x.len() {
            let lost = 4.0 * E::epsilon().wide() * y[i].abs() * (-log_abs_det[i]).exp();
            // Nothing is left of an argument whose image is an end of the interval.
            let held = y[i].abs() > E::max_value().wide() || y[i].abs() < E::min_positive_value().wide();
            if held || lost > 1e-2 * x[i].abs().max(1.0) {
                continue;
            }
            checked += 1;
            let allowed = tolerance::<E>() * x[i].abs().max(1e-3) + lost;
            assert!((found[i] - x[i]).abs() <= allowed, "{name}: {} became {}", x[i], found[i]);
        }
    }
    assert!(checked > 80, "only {checked} arguments were left");
}

/// The image of the inverse is the value again, and in `f64` the inverse is the argument.
fn inverses_of_rows<E: Dtype, D: Backend<E>>() {
    for Case { transform: name, x, y, .. } in cases().into_iter().filter(|c| c.x.len() <= 6) {
        let map = transform::<E, D>(&name, x.len());
        let origin = map.inverse(row(&y));
        let again = wide(&map.forward(origin.clone()));
        let close = again.iter().zip(&y).all(|(a, y)| (a - y).abs() <= 10.0 * tolerance::<E>() * y.abs().max(1.0));
        assert!(close, "{name}: {y:?} became {again:?}");
        if E::NAME == "f64" && map.is_bijective() {
            let close = wide(&origin).iter().zip(&x).all(|(o, x)| (o - x).abs() <= 1e-9 * x.abs().max(1.0));
            assert!(close, "{name}: {x:?} became {origin:?}");
        }
    }
}

both_dtypes! {
    values = values_and_jacobians;
    elements_back = inverses_of_elements;
    rows_back = inverses_of_rows;
}

#[test]
fn every_transform_has_reference_values() {
    let cases = cases();
    for name in ELEMENTS.iter().chain(&ROWS) {
        assert!(cases.iter().any(|case| case.transform == *name), "{name} has no reference values");
    }
}
