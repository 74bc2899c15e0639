//! Every figure of every case of `scripts/reference_diagnostics.py`, against ArviZ.

use ppl_infer::diagnostics::{
    Chains, Summary, SummaryRow, autocorr, autocov, bfmi, ess_bulk, ess_mean, ess_quantile, ess_sd, ess_tail, hdi,
    mcse_mean, mcse_quantile, mcse_sd, mean, quantile, rhat, rhat_bulk, rhat_folded, rhat_split, sd, z_scale,
};
use serde_json::Value;

/// The numbers that `scripts/reference_diagnostics.py` wrote.
pub(crate) fn reference() -> Value {
    serde_json::from_str(include_str!("../references/diagnostics.json")).expect("the reference is JSON")
}

/// A number; one that is not finite is written as text.
pub(crate) fn number(value: &Value) -> f64 {
    match value {
        Value::String(text) => text.parse().expect("nan, inf or -inf"),
        other => other.as_f64().expect("a number"),
    }
}

pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("an array").iter().map(number).collect()
}

pub(crate) fn rows(value: &Value) -> Vec<Vec<f64>> {
    value.as_array().expect("an array").iter().map(numbers).collect()
}

pub(crate) fn chains(rows: &[Vec<f64>]) -> Chains<'_> {
    let slices: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
    Chains::new(&slices).expect("chains of one length")
}

/// What differs, collected so that one run shows all of it.
pub(crate) struct Differences {
    case: String,
    /// Rounding of the draws themselves: what a figure in their unit may differ by.
    floor: f64,
    found: Vec<String>,
    pub(crate) compared: usize,
}

impl Differences {
    pub(crate) fn new() -> Self {
        Differences { case: String::new(), floor: 0.0, found: Vec::new(), compared: 0 }
    }

    pub(crate) fn begin(&mut self, case: &Value, unit: f64) {
        self.case = case["name"].as_str().expect("a name").to_owned();
        self.floor = 1e-14 * unit;
    }

    /// Equal to 1e-8 of its size.
    pub(crate) fn compare(&mut self, what: &str, found: f64, expected: f64) {
        self.differ(what, found, expected, 0.0);
    }

    /// Equal to 1e-8 of its size, or to the rounding of numbers as large as the draws.
    pub(crate) fn compare_in_unit(&mut self, what: &str, found: f64, expected: f64) {
        self.differ(what, found, expected, self.floor);
    }

    fn differ(&mut self, what: &str, found: f64, expected: f64, floor: f64) {
        self.compared += 1;
        let equal = found == expected
            || found.is_nan() && expected.is_nan()
            || (found - expected).abs() <= 1e-8 * expected.abs() + floor;
        if !equal {
            self.found.push(format!("{}: {what} is {found:e}, ArviZ has {expected:e}", self.case));
        }
    }

    #[track_caller]
    pub(crate) fn none(self, at_least: usize) {
        assert!(self.found.is_empty(), "{} of {}:\n{}", self.found.len(), self.compared, self.found.join("\n"));
        assert!(self.compared >= at_least, "only {} figures were compared", self.compared);
    }
}

#[test]
fn every_figure_of_every_case() {
    let reference = reference();
    assert_eq!(reference["arviz"], "0.23.4");
    let [probs, hdi_probs] = ["probs", "hdi_probs"].map(|name| numbers(&reference[name]));
    let mut differences = Differences::new();
    for case in reference["cases"].as_array().expect("cases") {
        let draws = rows(&case["draws"]);
        let largest = draws.iter().flatten().fold(0.0_f64, |m, x| m.max(x.abs()));
        let draws = chains(&draws);
        differences.begin(case, largest);
        let d = &mut differences;
        scale_free(d, &draws, case);
        in_unit(d, &draws, case);
        for (i, &prob) in probs.iter().enumerate() {
            let of = |figure: &str| number(&case[figure][i]);
            d.compare(&format!("ess_quantile({prob})"), ess_quantile(&draws, prob), of("ess_quantile"));
            d.compare_in_unit(&format!("mcse_quantile({prob})"), mcse_quantile(&draws, prob), of("mcse_quantile"));
            d.compare_in_unit(&format!("quantile({prob})"), quantile(&draws, prob), of("quantile"));
        }
        for (i, &prob) in hdi_probs.iter().enumerate() {
            let expected = numbers(&case["hdi"][i]);
            let found = hdi(&draws, prob);
            (0..2).for_each(|end| d.compare(&format!("hdi({prob})[{end}]"), found[end], expected[end]));
        }
        series(d, &draws, case);
    }
    differences.none(2000);
}

fn scale_free(d: &mut Differences, draws: &Chains<'_>, case: &Value) {
    type Figure = fn(&Chains<'_>) -> f64;
    let rhats: [(&str, Figure); 4] =
        [("rank", rhat), ("split", rhat_split), ("z_scale", rhat_bulk), ("folded", rhat_folded)];
    for (name, figure) in rhats {
        d.compare(&format!("rhat {name}"), figure(draws), number(&case["rhat"][name]));
    }
    let sizes: [(&str, Figure); 4] = [("bulk", ess_bulk), ("tail", ess_tail), ("mean", ess_mean), ("sd", ess_sd)];
    for (name, figure) in sizes {
        d.compare(&format!("ess {name}"), figure(draws), number(&case["ess"][name]));
    }
    let expected = numbers(&case["bfmi"]);
    bfmi(draws).into_iter().zip(expected).for_each(|(found, expected)| d.compare("bfmi", found, expected));
}

fn in_unit(d: &mut Differences, draws: &Chains<'_>, case: &Value) {
    d.compare_in_unit("mean", mean(draws), number(&case["mean"]));
    d.compare_in_unit("sd", sd(draws), number(&case["sd"]));
    d.compare_in_unit("mcse_mean", mcse_mean(draws), number(&case["mcse"]["mean"]));
    d.compare_in_unit("mcse_sd", mcse_sd(draws), number(&case["mcse"]["sd"]));
}

/// Scores and autocovariances, of the cases that have them.
fn series(d: &mut Differences, draws: &Chains<'_>, case: &Value) {
    if case["z_scale"].is_null() {
        return;
    }
    let first = draws.iter().next().expect("a chain");
    let covariance = autocov(first);
    let lists = [("z_scale", z_scale(draws)), ("autocov", covariance.clone()), ("autocorr", autocorr(first))];
    for (name, found) in lists {
        let expected = numbers(&case[name]);
        assert_eq!(found.len(), expected.len());
        let floor = if name == "autocov" { covariance[0] } else { 1.0 };
        for (i, (found, expected)) in found.into_iter().zip(expected).enumerate() {
            d.differ(&format!("{name}[{i}]"), found, expected, 1e-14 * floor);
        }
    }
}

#[test]
fn the_table_has_the_rows_of_arviz_summary() {
    let reference = reference();
    let columns = reference["summary"]["columns"].as_array().expect("columns");
    let quantities = reference["summary"]["quantities"].as_array().expect("quantities");
    let draws: Vec<Vec<Vec<f64>>> = quantities.iter().map(|quantity| rows(&quantity["draws"])).collect();
    let name = |quantity: &Value| quantity["name"].as_str().expect("a name").to_owned();
    let named: Vec<(String, Chains<'_>)> =
        quantities.iter().zip(&draws).map(|(quantity, draws)| (name(quantity), chains(draws))).collect();
    let summary = Summary::new(&named).expect("one run");
    let mut differences = Differences::new();
    for (row, quantity) in summary.rows.iter().zip(quantities) {
        differences.begin(quantity, 1.0);
        assert_eq!(row.name, name(quantity));
        let expected = numbers(&quantity["row"]);
        let SummaryRow { mean, sd, hdi: [low, high], mcse_mean, mcse_sd, ess_bulk, ess_tail, r_hat, .. } = *row;
        let found = [mean, sd, low, high, mcse_mean, mcse_sd, ess_bulk, ess_tail, r_hat];
        for ((column, found), expected) in columns.iter().zip(found).zip(expected) {
            differences.compare(column.as_str().expect("a name"), found, expected);
        }
    }
    differences.none(27);
    let text = summary.to_string();
    let head: Vec<&str> = text.lines().next().expect("a head").split_whitespace().collect();
    assert_eq!(head, columns.iter().map(|c| c.as_str().expect("a name")).collect::<Vec<_>>());
}
