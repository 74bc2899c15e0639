//! What the examples of autoguides, of lifted networks and of summed labels must show; each fails by itself where it is far from what is known.

use tempfile::TempDir;

use crate::{number, run, summary};

pub(crate) fn a_regression_is_exact() {
    let folder = TempDir::new().expect("a folder");
    let found = summary("bayesian_regression", &run("bayesian_regression", folder.path(), &["--steps", "3000"]));
    assert!(number(&found, "largest_error_of_means") < 0.15 && number(&found, "largest_error_of_sds") < 0.1, "{found}");
    assert_eq!(found["weights"].as_array().expect("weights").len(), 4);
    let output = run("bayesian_regression", folder.path(), &["--rows", "0"]);
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("--rows"));
}

pub(crate) fn every_autoguide_is_near_the_posterior() {
    let folder = TempDir::new().expect("a folder");
    let found = summary("logistic_autoguides", &run("logistic_autoguides", folder.path(), &["--steps", "1500"]));
    let guides = found["guides"].as_object().expect("guides");
    assert_eq!(guides.len(), 8, "{found}");
    // No guide's ELBO is above the log-evidence, and the one with a covariance is nearer to it than mean field.
    let elbo = |name: &str| number(&guides[name], "elbo");
    assert!(elbo("AutoMultivariateNormal") > elbo("AutoNormal") + 0.2, "{found}");
}

pub(crate) fn a_mixture_is_summed_out() {
    let folder = TempDir::new().expect("a folder");
    let found = summary("mixture_model", &run("mixture_model", folder.path(), &["--steps", "2000"]));
    assert!(number(&found, "right") > 45.0 && number(&found, "elbo") < number(&found, "log_evidence") + 0.1, "{found}");
}

pub(crate) fn labels_are_summed_out() {
    let folder = TempDir::new().expect("a folder");
    let short = ["--labelled", "50", "--first", "60", "--epochs", "1"];
    let found = summary("semi_supervised_vae", &run("semi_supervised_vae", folder.path(), &short));
    assert!(number(&found, "accuracy") > 0.5 && number(&found, "elbo") > -300.0, "{found}");
}

pub(crate) fn a_network_is_less_sure_in_the_gap() {
    let folder = TempDir::new().expect("a folder");
    let short = ["--chains", "2", "--warmup", "100", "--draws", "100", "--out", "files"];
    let found = summary("bnn", &run("bnn", folder.path(), &short));
    assert!(number(&found, "sd_gap") > 1.3 * number(&found, "sd_beside"), "{found}");
    let svg = std::fs::read_to_string(folder.path().join("files/bnn.svg")).expect("the picture");
    assert!(svg.starts_with("<svg") && svg.contains("<polygon") && !svg.contains("NaN"));
}

pub(crate) fn either_bound_fits() {
    let folder = TempDir::new().expect("a folder");
    let found =
        summary("two_objectives", &run("two_objectives", folder.path(), &["--steps", "15", "--particles", "3"]));
    for objective in ["trace_elbo", "renyi_elbo"] {
        assert!(number(&found[objective], "importance_weighted") > number(&found[objective], "elbo"), "{found}");
    }
}
