//! The examples of programs whose sites come and go.

use tempfile::TempDir;

use super::{failure, fields, number, run, summary};

pub(crate) fn programs_of_church_are_exact() {
    let folder = TempDir::new().expect("a folder");
    let summary = summary("church", &run("church", folder.path(), &["--batches", "20", "--steps", "200"]));
    let names = [
        "acceptance",
        "clusters",
        "clusters_error",
        "clusters_known",
        "example",
        "p_aacbb",
        "p_three_failures",
        "seed",
        "unexplored",
    ];
    assert_eq!(fields(&summary), names);
    // The example itself fails where a probability is another one.
    assert!(
        (number(&summary, "p_three_failures") - 0.3 * 0.343).abs() < 1e-10 && number(&summary, "unexplored") < 1e-12
    );
}

pub(crate) fn some_is_not_all() {
    let folder = TempDir::new().expect("a folder");
    let summary = summary("scalar_implicature", &run("scalar_implicature", folder.path(), &[]));
    assert_eq!(fields(&summary), ["example", "literal", "pragmatic", "rationality"]);
    let three = summary["pragmatic"][3].as_f64().expect("a number");
    assert!((three - 1.0 / 9.0).abs() < 1e-10, "{summary}");
    let message = failure("scalar_implicature", &["--rationality", "0"]);
    assert!(message.contains("--rationality must be positive"), "{message}");
}
