//! Log-densities, probabilities, quantiles and moments against scipy and mpmath, to 1e-9 in `f64` and
//! 1e-5 in `f32`, at ordinary and extreme parameters and far into the tails.
//!
//! The tables are made by `scripts/reference_values.py`. What a table does not have (`null`) the
//! library must not give.

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
    pub(crate) cdf: Option<Vec<f64>>,
    probabilities: Vec<f64>,
    icdf: Option<Vec<f64>>,
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

/// The tables of all groups.
const TABLES: [&str; 5] = [
    include_str!("../references/normal_like.json"),
    include_str!("../references/gamma_like.json"),
    include_str!("../references/location_scale.json"),
    include_str!("../references/counts.json"),
    include_str!("../references/categories.json"),
];

/// A number, or an infinity as text.
pub(crate) fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

/// A list of numbers, or `null`.
fn numbers(value: &Value) -> Option<Vec<f64>> {
    value.as_array()?.iter().map(number).collect()
}

/// The rows of a table.
pub(crate) fn rows(table: &str) -> Vec<Value> {
    serde_json::from_str(table).expect("the table is JSON")
}

/// All cases.
pub(crate) fn cases() -> Vec<Case> {
    let case = |row: &Value| Case {
        family: row["family"].as_str().expect("a name").into(),
        parameters: numbers(&row["parameters"]).expect("a list"),
        points: numbers(&row["points"]).expect("a list"),
        log_prob: numbers(&row["log_prob"]).expect("a list"),
        cdf: numbers(&row["cdf"]),
        probabilities: numbers(&row["probabilities"]).expect("a list"),
        icdf: numbers(&row["icdf"]),
        mean: number(&row["mean"]),
        variance: number(&row["variance"]),
        entropy: number(&row["entropy"]),
    };
    TABLES.iter().flat_map(|table| rows(table)).map(|row| case(&row)).collect()
}

/// How a difference is measured.
#[derive(Clone, Copy)]
pub(crate) enum Scale {
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

/// What differs between found and expected numbers, if anything does; what the dtype cannot hold must
/// have overflowed, or be as small as its smallest number.
pub(crate) fn difference<E: Dtype>(found: &[f64], expected: &[f64], scale: Scale) -> Option<String> {
    assert_eq!(found.len(), expected.len());
    let unequal = |(&found, &expected): (&f64, &f64)| {
        let nearest = E::of(expected).wide();
        let size = if let Scale::Logarithm = scale { expected.abs().max(1.0) } else { expected.abs() };
        let allowed = tolerance::<E>() * size + E::min_positive_value().wide();
        let same = found == nearest || (found.is_nan() && expected.is_nan());
        !(same || (nearest.is_finite() && (found - expected).abs() <= allowed))
    };
    let at = found.iter().zip(expected).position(unequal)?;
    Some(format!("element {at} is {:e}, not {:e}", found[at], expected[at]))
}

/// Adds to the list of failures what differs from the table, or is there where the table has nothing.
fn compare<E: Dtype, D: Backend<E>>(
    failures: &mut Vec<String>,
    place: &str,
    found: Option<Row<E, D>>,
    expected: Option<&[f64]>,
    scale: Scale,
) {
    let wrong = match (found, expected) {
        (None, None) => None,
        (Some(found), Some(expected)) => difference::<E>(&wide(&found), expected, scale),
        (None, Some(_)) => Some("the library has none, the table has one".into()),
        (Some(_), None) => Some("the library has one, the table has none".into()),
    };
    failures.extend(wrong.map(|wrong| format!("{place}: {wrong}")));
}

fn agrees_with_the_tables<E: Dtype, D: Backend<E>>() {
    let mut failures = Vec::new();
    for case in cases() {
        let family = family::<E, D>(&case.family);
        let at = |n: usize| family.filled(&case.parameters, n);
        let (points, probabilities) = (row(&case.points), row(&case.probabilities));
        let (at_points, one) = (at(case.points.len()), at(1));
        let quantiles = at(case.probabilities.len()).icdf(&probabilities);
        let single = |x: &Option<f64>| x.map(|x| vec![x]);
        let compared = [
            ("log_prob", Some(at_points.log_prob(&points)), Some(case.log_prob.clone()), Scale::Logarithm),
            ("cdf", at_points.cdf(&points), case.cdf.clone(), Scale::Relative),
            ("icdf", quantiles, case.icdf.clone(), Scale::Relative),
            ("mean", one.mean(), single(&case.mean), Scale::Relative),
            ("variance", one.variance(), single(&case.variance), Scale::Relative),
            ("entropy", one.entropy(), single(&case.entropy), Scale::Logarithm),
        ];
        for (what, found, expected, scale) in compared {
            let place = format!("{} {:?}: {what}", case.family, case.parameters);
            compare(&mut failures, &place, found, expected.as_deref(), scale);
        }
    }
    assert!(failures.is_empty(), "{} differ:\n{}", failures.len(), failures.join("\n"));
}

both_dtypes! {
    scipy = agrees_with_the_tables;
}

#[test]
fn every_family_has_reference_values() {
    let cases = cases();
    for family in families::<f64, ppl_core::Cpu>() {
        let count = cases.iter().filter(|case| case.family == family.name).count();
        assert!(count >= 3, "{} has {count} sets of reference values", family.name);
    }
}
