//! Log-densities, probabilities, quantiles and moments against scipy, to 1e-9 in `f64` and 1e-5 in
//! `f32`, at ordinary and extreme parameters and far into the tails.
//!
//! The table is made by `scripts/reference_values.py`.

use ppl_core::Dtype;
use ppl_core::backend::Backend;
use serde_json::Value;

use crate::families::{Row, families, family, row, wide};

/// One set of parameters of one family.
pub(crate) struct Case {
    pub(crate) family: String,
    pub(crate) parameters: Vec<f64>,
    points: Vec<f64>,
    log_prob: Vec<f64>,
    cdf: Vec<f64>,
    probabilities: Vec<f64>,
    icdf: Vec<f64>,
    mean: Option<f64>,
    variance: Option<f64>,
    entropy: Option<f64>,
}

impl Case {
    /// The values at which log-density and cdf are known.
    pub(crate) fn points(&self) -> &[f64] {
        &self.points
    }
}

/// A number, or an infinity as text.
fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

/// All cases.
pub(crate) fn cases() -> Vec<Case> {
    let table: Vec<Value> =
        serde_json::from_str(include_str!("../references/distributions.json")).expect("the table is JSON");
    let numbers = |row: &Value, key: &str| -> Vec<f64> {
        let list = row[key].as_array().expect("a list");
        list.iter().map(|v| number(v).expect("a number")).collect()
    };
    let case = |row: &Value| Case {
        family: row["family"].as_str().expect("a name").into(),
        parameters: numbers(row, "parameters"),
        points: numbers(row, "points"),
        log_prob: numbers(row, "log_prob"),
        cdf: numbers(row, "cdf"),
        probabilities: numbers(row, "probabilities"),
        icdf: numbers(row, "icdf"),
        mean: number(&row["mean"]),
        variance: number(&row["variance"]),
        entropy: number(&row["entropy"]),
    };
    table.iter().map(case).collect()
}

/// How a difference is measured.
#[derive(Clone, Copy)]
enum Scale {
    /// Against the expected number.
    Relative,
    /// Against the expected number, or 1 if that is less: a logarithm's error is the relative error
    /// of what it is the logarithm of.
    Logarithm,
}

/// The tolerance of a dtype.
pub(crate) fn tolerance<E: Dtype>() -> f64 {
    if E::NAME == "f64" { 1e-9 } else { 1e-5 }
}

/// Asserts that a row holds the expected numbers; what the dtype cannot hold must have overflowed,
/// or be as small as its smallest number.
#[track_caller]
fn equal<E: Dtype, D: Backend<E>>(what: &str, case: &Case, found: Option<Row<E, D>>, expected: &[f64], scale: Scale) {
    let found = wide(&found.unwrap_or_else(|| panic!("{} {:?}: no {what}", case.family, case.parameters)));
    assert_eq!(found.len(), expected.len());
    for (i, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let nearest = E::of(expected).wide();
        let size = if let Scale::Logarithm = scale { expected.abs().max(1.0) } else { expected.abs() };
        let allowed = tolerance::<E>() * size + E::min_positive_value().wide();
        let equal = found == nearest || (nearest.is_finite() && (found - expected).abs() <= allowed);
        assert!(equal, "{} {:?}: {what} {i} is {found}, not {expected}", case.family, case.parameters);
    }
}

fn agrees_with_scipy<E: Dtype, D: Backend<E>>() {
    for case in cases() {
        let family = family::<E, D>(&case.family);
        let at = |n: usize| family.filled(&case.parameters, n);
        let (points, probabilities) = (row(&case.points), row(&case.probabilities));
        let at_points = at(case.points.len());
        equal("log_prob", &case, Some(at_points.log_prob(&points)), &case.log_prob, Scale::Logarithm);
        equal("cdf", &case, at_points.cdf(&points), &case.cdf, Scale::Relative);
        equal("icdf", &case, at(case.probabilities.len()).icdf(&probabilities), &case.icdf, Scale::Relative);
        let one = at(1);
        let moments = [("mean", one.mean(), case.mean), ("variance", one.variance(), case.variance)];
        for (what, found, expected) in moments {
            match expected {
                Some(expected) => equal(what, &case, found, &[expected], Scale::Relative),
                None => assert!(found.is_none(), "{}: a {what}", case.family),
            }
        }
        equal("entropy", &case, one.entropy(), &[case.entropy.expect("all have one")], Scale::Logarithm);
    }
}

both_dtypes! {
    scipy = agrees_with_scipy;
}

#[test]
fn every_family_has_reference_values() {
    let cases = cases();
    for family in families::<f64, ppl_core::Cpu>() {
        assert!(cases.iter().any(|case| case.family == family.name), "{} has no reference values", family.name);
    }
}
