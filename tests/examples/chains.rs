//! What the examples of Markov chains must show.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::{number, run, summary};

/// Short chains.
const SHORT: [&str; 6] = ["--chains", "2", "--warmup", "400", "--draws", "600"];

/// Runs an example of chains; the example itself fails where it is far from what is known.
#[track_caller]
fn sampled(name: &str, folder: &Path, args: &[&str]) -> Value {
    let summary = summary(name, &run(name, folder, &[&SHORT, args].concat()));
    assert!(number(&summary, "r_hat_max") < 1.05 && number(&summary, "ess_bulk_min") > 100.0, "{summary}");
    assert_eq!(number(&summary, "seed"), 0.0);
    summary
}

pub(crate) fn the_eight_schools_are_sampled() {
    let folder = TempDir::new().expect("a folder");
    let found = sampled("eight_schools", folder.path(), &["--out", "files"]);
    // A school's second result has a mean of about 6 and a deviation of about 16.
    assert!((0.05..0.15).contains(&number(&found, "p_first_again")), "{found}");
    let text = |name: &str| fs::read_to_string(folder.path().join("files").join(name)).expect("a file of the example");
    let posterior: Value = serde_json::from_str(&text("posterior.json")).expect("JSON");
    assert_eq!(posterior["posterior"]["theta"].as_array().expect("chains").len(), 2);
    for picture in ["trace", "rank", "density", "energy", "pair"] {
        assert!(text(&format!("{picture}.svg")).starts_with("<svg"), "{picture}");
    }
    assert_eq!(found, sampled("eight_schools", folder.path(), &[]), "the same seed, the same figures");
}

pub(crate) fn a_table_is_regressed() {
    let folder = TempDir::new().expect("a folder");
    let found = sampled("logistic_regression", folder.path(), &[]);
    assert_eq!(found["weights"].as_array().expect("weights").len(), 3);
    let table = |text: &str| fs::write(folder.path().join("table.csv"), text).expect("a table");
    let rows: String = (0..60).map(|i| format!("{},{}\n", f64::from(i) / 30.0 - 1.0, i32::from(i > 20))).collect();
    table(&format!("x,y\n{rows}"));
    let own = sampled("logistic_regression", folder.path(), &["--data", "table.csv"]);
    assert_eq!(own["rows"], 60);
    assert!(own["weights"][0].as_f64().expect("a weight") > 1.0, "{own}");
    for (text, problem) in [
        ("x,y\n1,0\n2,3\n", "table.csv, line 3: the last column must be 0 or 1"),
        ("x,y\n1,0\n2,3,1\n", "table.csv, line 3: 1 finite numbers were expected"),
        ("x,y\n1,zero\n", "table.csv, line 2: invalid float literal"),
        ("x,y\n", "table.csv: there are no rows"),
    ] {
        table(text);
        let output = run("logistic_regression", folder.path(), &["--data", "table.csv"]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && stderr.contains(problem), "{stderr}");
    }
}

pub(crate) fn a_mixture_is_found_by_gibbs_sampling() {
    let folder = TempDir::new().expect("a folder");
    let found = sampled("gaussian_mixture", folder.path(), &["--out", "files"]);
    assert!(folder.path().join("files/posterior.json").exists() && folder.path().join("files/trace.svg").exists());
    // Of 200 data each component has at least 40: a mean has an error of at most 0.2, a weight of 0.04.
    for (name, truth, error) in [("weights", [0.25, 0.45, 0.3], 0.04), ("means", [-4.0, 0.5, 4.5], 0.2)] {
        for (k, truth) in truth.into_iter().enumerate() {
            let mean = found[name][k].as_f64().expect("a number");
            assert!((mean - truth).abs() < 5.0 * error, "{name}[{k}]: {found}");
        }
    }
}

pub(crate) fn radon_is_found_by_county() {
    let folder = TempDir::new().expect("a folder");
    let found = sampled("radon", folder.path(), &[]);
    // The truth of the simulation lies within five posterior deviations.
    for (name, truth, sd) in [
        ("mean", 1.5, 0.05),
        ("uranium", 0.7, 0.1),
        ("floor", -0.65, 0.07),
        ("between", 0.3, 0.05),
        ("within", 0.75, 0.02),
    ] {
        assert!((number(&found, name) - truth).abs() < 5.0 * sd, "{name}: {found}");
    }
    let output = run("radon", folder.path(), &["--data-dir", "nowhere"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && stderr.contains("nowhere/radon_county.csv"), "{stderr}");
}

pub(crate) fn hidden_states_are_found() {
    let folder = TempDir::new().expect("a folder");
    let found = sampled("hidden_markov", folder.path(), &[]);
    assert!(number(&found, "largest_error_of_states") < 0.15, "{found}");
}

pub(crate) fn an_outlier_is_no_part_of_a_line() {
    let folder = TempDir::new().expect("a folder");
    let found = sampled("composed_inference", folder.path(), &[]);
    // With the outliers in it the slope would be about 0.75.
    assert!((number(&found, "slope") - 1.15).abs() < 0.05, "{found}");
}
