//! Every special function against mpmath with 50 digits: the tables that
//! `scripts/reference_special_functions.py` writes.

use serde_json::Value;

use super::bessel::*;
use super::gamma_function::*;
use super::incomplete_beta::*;
use super::incomplete_gamma::*;
use super::logarithms::*;

/// A function of a row's arguments.
type Scalar = fn(&[f64]) -> f64;

/// The rows of one table: arguments, then the value.
fn rows(tables: &Value, name: &str) -> Vec<Vec<f64>> {
    let number = |text: &Value| text.as_str().and_then(|t| t.parse().ok()).expect("a number as text");
    let row = |row: &Value| row.as_array().expect("a row").iter().map(number).collect();
    tables[name].as_array().unwrap_or_else(|| panic!("no table {name}")).iter().map(row).collect()
}

/// The largest error in one table, with its row.
fn worst(rows: &[Vec<f64>], f: Scalar, absolute: f64) -> (f64, f64, &[f64]) {
    let mut worst = (-1.0, 0.0, &rows[0][..]);
    for row in rows {
        let (args, expected) = (&row[..row.len() - 1], row[row.len() - 1]);
        let found = f(args);
        let error = if found == expected {
            0.0
        } else {
            ((found - expected).abs() / (expected.abs() + absolute)).min(f64::MAX)
        };
        // NaN is the worst of all.
        if error.is_nan() || error > worst.0 {
            worst = (if error.is_nan() { f64::INFINITY } else { error }, found, row);
        }
    }
    worst
}

/// Name, function, tolerance relative to the value, and what is added to the value's size: 0 where
/// digits hold near zeros too, 1 where the zero is only as exact as the terms that cancel there.
const CASES: &[(&str, Scalar, f64, f64)] = &[
    ("ln_gamma", |a| ln_gamma(a[0]), 1e-15, 0.0),
    ("ln_gamma_1p", |a| ln_gamma_1p(a[0]), 2e-15, 0.0),
    ("digamma", |a| digamma(a[0]), 1e-15, 0.0),
    ("ln_minus_digamma", |a| ln_minus_digamma(a[0]), 1e-14, 0.0),
    ("trigamma", |a| trigamma(a[0]), 1e-15, 0.0),
    ("tetragamma", |a| tetragamma(a[0]), 1e-15, 0.0),
    ("ln_beta", |a| ln_beta(a[0], a[1]), 1e-14, 0.0),
    ("ln_gamma_ratio", |a| ln_gamma_ratio(a[0], a[1]), 1e-14, 0.0),
    ("digamma_difference", |a| digamma_difference(a[0], a[1]), 1e-14, 0.0),
    ("ln_choose", |a| ln_choose(a[0], a[1]), 1e-14, 0.0),
    ("gamma_inc", |a| gamma_inc(a[0], a[1]), 2e-13, 0.0),
    ("gamma_inc_upper", |a| gamma_inc_upper(a[0], a[1]), 2e-13, 0.0),
    ("gamma_density", |a| gamma_density(a[0], a[1]), 2e-13, 0.0),
    ("gamma_inc_slope", |a| gamma_inc_slope(a[0], a[1]), 2e-13, 0.0),
    ("gamma_pathwise", |a| a[0] * relative_pathwise(a[1], a[0], a[0].ln()), 2e-14, 0.0),
    ("gamma_pathwise_log", |a| gamma_pathwise_log(a[0], a[1]), 2e-14, 0.0),
    ("gamma_quantile", |a| gamma_quantile(a[0], a[1]), 2e-13, 0.0),
    ("gamma_quantile_upper", |a| gamma_quantile_upper(a[0], a[1]), 2e-13, 0.0),
    ("beta_inc", |a| beta_inc(a[0], a[1], a[2]), 1e-12, 0.0),
    ("beta_inc_upper", |a| beta_inc_upper(a[0], a[1], a[2]), 1e-12, 0.0),
    ("beta_density", |a| beta_density(a[0], a[1], [a[2], 1.0 - a[2]]), 1e-12, 0.0),
    ("beta_inc_slope_a", |a| beta_inc_slopes(a[0], a[1], a[2])[0], 1e-12, 0.0),
    ("beta_inc_slope_b", |a| beta_inc_slopes(a[0], a[1], a[2])[1], 1e-12, 0.0),
    ("beta_pathwise_a", |a| beta_pathwise(a[2], a[0], a[1])[0], 1e-12, 0.0),
    ("beta_pathwise_b", |a| beta_pathwise(a[2], a[0], a[1])[1], 1e-12, 0.0),
    ("beta_quantile", |a| beta_quantile(a[0], a[1], a[2]), 1e-12, 0.0),
    ("beta_quantile_upper", |a| beta_quantile_both(a[0], a[1], [1.0 - a[2], a[2]])[0], 1e-12, 0.0),
    ("log1mexp", |a| log1mexp(a[0]), 1e-15, 0.0),
    ("xlogy", |a| xlogy(a[0], a[1]), 1e-15, 0.0),
    ("xlog1py", |a| xlog1py(a[0], a[1]), 1e-15, 0.0),
    ("logaddexp", |a| logaddexp(a[0], a[1]), 1e-15, 0.0),
    ("logaddexp_share", |a| logaddexp_share(a[0], a[1]), 1e-13, 0.0),
    ("i0e", |a| i0e(a[0]), 2e-15, 0.0),
    ("i1e", |a| i1e(a[0]), 2e-15, 0.0),
    ("i0e_slope", |a| i0e_slope(a[0]), 2e-14, 0.0),
    ("i1e_slope", |a| i1e_slope(a[0]), 2e-14, 1e-2),
    ("log_i0e", |a| log_i0e(a[0]), 2e-15, 0.0),
    ("bessel_ratio", |a| bessel_ratio(a[0]), 2e-15, 0.0),
    ("bessel_shortfall", |a| bessel_shortfall(a[0]), 2e-14, 0.0),
    ("bessel_ratio_slope", |a| bessel_ratio_slope(a[0]), 1e-12, 0.0),
];

#[test]
fn special_functions_equal_their_references() {
    let text = include_str!("../../tests/references/special_functions.json");
    let tables: Value = serde_json::from_str(text).expect("the references are JSON");
    let mut wrong = String::new();
    for &(name, f, tolerance, absolute) in CASES {
        let rows = rows(&tables, name);
        let (error, found, row) = worst(&rows, f, absolute);
        if error > tolerance || std::env::var_os("PPL_SHOW_ERRORS").is_some() {
            wrong += &format!("\n{name}: error {error:.1e} above {tolerance:e} at {row:?}: {found:e}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
