//! ArviZ itself opens what we write: its loaders run where `PPL_PYTHON`, or else `python3`, has ArviZ 0.x.

use std::path::{Path, PathBuf};
use std::process::Command;

use ppl_infer::diagnostics::SummaryRow;
use ppl_infer::draws::{Draws, Role, layout};
use ppl_infer::export::{Group, InferenceData, Labels, NamedArray, Numbers};
use serde_json::Value;

use crate::runs::{run, variables};
use crate::stan_csv;

/// The Python that has ArviZ, or the reason why a test of it is skipped. One that was asked for must have it.
fn python() -> Option<PathBuf> {
    let asked = std::env::var_os("PPL_PYTHON");
    let python = PathBuf::from(asked.clone().unwrap_or_else(|| "python3".into()));
    let ask = "from importlib.metadata import version; print(version('arviz'))";
    let version = Command::new(&python).args(["-c", ask]).output().ok().filter(|output| output.status.success());
    let version = version.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let has_loaders = version.as_ref().is_some_and(|version| version.starts_with("0."));
    assert!(has_loaders || asked.is_none(), "{} has ArviZ {version:?}, expected 0.x", python.display());
    if !has_loaders {
        println!("skipped: {} has no ArviZ 0.x; PPL_PYTHON names one that has", python.display());
    }
    has_loaders.then_some(python)
}

/// What ArviZ found in files.
fn load(python: &Path, kind: &str, paths: &[PathBuf]) -> Value {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/export/load_in_arviz.py");
    let output = Command::new(python).arg(script).arg(kind).args(paths).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn numbers(values: &Value) -> Vec<f64> {
    values.as_array().unwrap().iter().map(|x| x.as_str().unwrap().parse().unwrap()).collect()
}

/// Compares a variable with an array of ours: sizes, kind and all numbers, bit for bit.
#[track_caller]
fn assert_same(found: &Value, group: &str, name: &str, array: &NamedArray) {
    let found = &found["groups"][group]["variables"][name];
    let sizes: Vec<usize> = serde_json::from_value(found["sizes"].clone()).unwrap();
    assert_eq!(sizes, array.sizes, "{group} {name}");
    let (kind, expected): (&str, Vec<f64>) = match &array.numbers {
        Numbers::Float(x) => ("f", x.clone()),
        Numbers::Integer(x) => ("i", x.iter().map(|&x| x as f64).collect()),
        Numbers::Flag(x) => ("b", x.iter().map(|&x| f64::from(u8::from(x))).collect()),
    };
    assert_eq!(found["kind"], kind, "{group} {name}");
    let numbers = numbers(&found["values"]);
    let same = |(a, b): (&f64, &f64)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
    assert!(numbers.len() == expected.len() && numbers.iter().zip(&expected).all(same), "{group} {name}");
}

/// Compares ArviZ's table with ours.
fn assert_same_summary(found: &Value, draws: &Draws) {
    let ours = draws.summary_of(&["mu", "theta", "school/w", "t"], 0.94).unwrap();
    let theirs = found["summary"].as_array().unwrap();
    assert_eq!(theirs.len(), ours.rows.len());
    for (theirs, ours) in theirs.iter().zip(&ours.rows) {
        let SummaryRow { name: _, mean, sd, hdi, mcse_mean, mcse_sd, ess_bulk, ess_tail, r_hat } = *ours;
        let figures = [mean, sd, hdi[0], hdi[1], mcse_mean, mcse_sd, ess_bulk, ess_tail, r_hat];
        let name = theirs[0].as_str().unwrap();
        let expected: Vec<f64> =
            theirs.as_array().unwrap()[1..].iter().map(|x| x.as_str().unwrap().parse().unwrap()).collect();
        let close = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-8 * (1.0 + b.abs());
        assert!(figures.iter().zip(&expected).all(close), "{name}: {figures:?}, ArviZ: {expected:?}");
        // With labels, ArviZ says `theta[Deerfield]`.
        assert!(name == ours.name || ours.name.starts_with("theta["), "{name}, {}", ours.name);
    }
}

#[test]
fn from_json_finds_all_groups_numbers_and_names() {
    let Some(python) = python() else { return };
    let draws = run(variables(), &[50, 53]);
    let mut data = InferenceData::from_draws(&draws);
    let hostile = "a, \"b\"\n/é.1__";
    let hard = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 1e300, 5e-324, 0.1 + 0.2, f64::MAX];
    let array = |sizes: &[usize], numbers: &[f64]| NamedArray {
        sizes: sizes.to_vec(),
        numbers: Numbers::Float(numbers.iter().copied().cycle().take(sizes.iter().product()).collect()),
    };
    data.insert(Group::Posterior, hostile, array(&[2, 50], &hard));
    data.insert_draws(Group::Prior, &run(layout([("theta".into(), vec![3], Role::Latent)]), &[7]));
    data.insert(Group::PosteriorPredictive, "y", array(&[2, 50, 3, 2], &hard));
    data.insert(Group::LogLikelihood, "y", array(&[2, 50, 3], &[-1.5, -0.5]));
    data.insert(Group::ObservedData, "y", array(&[3, 2], &[28.0, 8.0, -3.0]));
    let years = NamedArray { sizes: vec![2], numbers: Numbers::Integer(vec![1980, 1981]) };
    data.insert(Group::ConstantData, "year", years);
    data.set_dims("theta", ["school"]);
    data.set_dims("y", ["school", "when"]);
    data.set_labels("school", Labels::Text(vec!["Choate".into(), "Deerfield".into(), "Ünion \"3\"".into()]));
    data.set_labels("when", Labels::Integers(vec![7, -9]));
    data.set_attribute("created_at", "2026-11-30T20:00:00+00:00");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.json");
    data.write_json(&path).unwrap();

    let found = load(&python, "json", &[path]);
    let mut groups: Vec<&str> = found["groups"].as_object().unwrap().keys().map(String::as_str).collect();
    groups.sort_unstable();
    let expected = ["constant_data", "log_likelihood", "observed_data", "posterior", "posterior_predictive", "prior"];
    assert_eq!(groups, [&expected[..], &["sample_stats"]].concat());
    let stats = ["lp", "acceptance_rate", "step_size", "tree_depth", "n_steps", "diverging", "energy"];
    let posterior = ["mu", "theta", "school/w", "none", "t", hostile];
    let all = [
        (Group::SampleStats, &stats[..]),
        (Group::Posterior, &posterior),
        (Group::Prior, &["theta"]),
        (Group::PosteriorPredictive, &["y"]),
        (Group::LogLikelihood, &["y"]),
        (Group::ObservedData, &["y"]),
        (Group::ConstantData, &["year"]),
    ];
    for (group, names) in all {
        names.iter().for_each(|name| assert_same(&found, group.name(), name, data.get(group, name).unwrap()));
    }
    let posterior = &found["groups"]["posterior"];
    assert_eq!(posterior["variables"]["theta"]["dims"], serde_json::json!(["chain", "draw", "school"]));
    assert_eq!(posterior["coords"]["school"], serde_json::json!(["Choate", "Deerfield", "Ünion \"3\""]));
    assert_eq!(posterior["attributes"]["inference_library"], "ppl");
    assert_eq!(posterior["attributes"]["created_at"], "2026-11-30T20:00:00+00:00");
    assert_eq!(found["groups"]["observed_data"]["coords"]["when"], serde_json::json!(["7", "-9"]));
    assert_eq!(found["groups"]["observed_data"]["attributes"]["inference_library"], "ppl");
    assert_eq!(
        found["groups"]["log_likelihood"]["variables"]["y"]["dims"],
        serde_json::json!(["chain", "draw", "school"])
    );
    assert_same_summary(&found, &draws);
}

#[test]
fn from_cmdstan_finds_draws_and_stats() {
    let Some(python) = python() else { return };
    let draws = run(variables(), &[50, 50]);
    let folder = tempfile::tempdir().unwrap();
    let found = load(&python, "cmdstan", &stan_csv::write(folder.path(), &draws));
    let data = InferenceData::from_draws(&draws);
    for name in ["mu", "theta", "school/w", "t"] {
        assert_same(&found, "posterior", name, data.get(Group::Posterior, name).unwrap());
    }
    for name in ["lp", "acceptance_rate", "step_size", "tree_depth", "n_steps", "diverging", "energy"] {
        assert_same(&found, "sample_stats", name, data.get(Group::SampleStats, name).unwrap());
    }
    let attributes = &found["groups"]["posterior"]["attributes"];
    assert_eq!(attributes["model"], "['eight%20schools', 'eight%20schools']");
    assert_eq!(attributes["step_size"], "['0.25', '0.25']");
    assert_eq!(attributes["inverse_mass_matrix"], "['[1.5, 0.5]', '[1.5, 0.5]']");
    assert_eq!(attributes["sampling_time_seconds"], "['2.0', '2.0']");
    assert_same_summary(&found, &draws);
}
