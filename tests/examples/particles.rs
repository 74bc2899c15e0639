//! What the examples of particles must show; each fails by itself where it is far from what is known.

use tempfile::TempDir;

use crate::{number, run, summary};

pub(crate) fn states_are_filtered() {
    let folder = TempDir::new().expect("a folder");
    let args = ["--particles", "300", "--filters", "10", "--times", "20"];
    let found = summary("state_space", &run("state_space", folder.path(), &args));
    assert!(number(&found, "guided_error") < number(&found, "linear_error"), "{found}");
    // The example compares it with the one by a grid, in units of this.
    assert!(number(&found, "growth_error") < 0.6, "{found}");
    assert_eq!(
        found,
        summary("state_space", &run("state_space", folder.path(), &args)),
        "the same seed, the same figures"
    );
    let output = run("state_space", folder.path(), &["--times", "0"]);
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("--times"));
}

pub(crate) fn lamps_are_counted() {
    let folder = TempDir::new().expect("a folder");
    let found = summary("open_universe", &run("open_universe", folder.path(), &["--particles", "4000"]));
    let error = (number(&found, "evidence") - number(&found, "exact_evidence")).abs();
    assert!(error < 6.0 * number(&found, "standard_error"), "{found}");
}
