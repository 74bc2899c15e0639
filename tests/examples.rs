//! Every example runs with a tiny setting, ends well, and says what it should on its last line.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::SystemTime;

use serde_json::Value;
use tempfile::TempDir;

// An example is built either as a program, which the tests below run, or as its own tests; so the
// tests inside the vae's modules are part of this file.
#[path = "../examples/dmm/main.rs"]
#[allow(dead_code, unreachable_pub, reason = "a program's items, of which only the tests are wanted here")]
mod dmm;
#[path = "../examples/vae/main.rs"]
#[allow(dead_code, unreachable_pub, reason = "a program's items, of which only the tests are wanted here")]
mod vae;

/// The examples and what each must show. A test named after the example runs it.
macro_rules! examples {
    ($($name:ident: $check:expr;)*) => {
        const REGISTERED: &[&str] = &[$(stringify!($name)),*];

        $(
            #[test]
            fn $name() {
                $check();
            }
        )*
    };
}

examples! {
    figure_1: figure_1_learns;
    vae: the_vae_resumes_where_it_was;
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_example_is_registered() {
    let entries = fs::read_dir(root().join("examples")).expect("the folder of examples");
    let paths = entries.map(|entry| entry.expect("an entry of the folder").path());
    let found: BTreeSet<String> = paths
        .filter(|path| path.extension().is_some_and(|e| e == "rs") || path.join("main.rs").exists())
        .map(|path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned())
        .collect();
    let registered: BTreeSet<String> = REGISTERED.iter().map(|&name| name.to_owned()).collect();
    assert_eq!(found, registered, "the folder (left) and the list at the top of tests/examples.rs (right)");
}

/// The program of an example, which `cargo test` builds beside this test.
///
/// # Panics
/// If it is not there, or older than its sources: a run that names this test alone builds no examples.
fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    let profile = test.parent().and_then(Path::parent).expect("target/<profile>/deps holds this test");
    let path = profile.join("examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let advice = "build it with `cargo build --examples` (and `--release` if this test is), or run all of `cargo test`";
    let Ok(built) = path.metadata().and_then(|data| data.modified()) else {
        panic!("{} is not there: {advice}", path.display());
    };
    let sources = root().join("examples").join(name);
    let sources = if sources.is_dir() { sources } else { sources.with_extension("rs") };
    assert!(built >= last_change(&sources), "{} is older than its sources: {advice}", path.display());
    path
}

/// When a source, or the newest source in a folder, was last written.
fn last_change(path: &Path) -> SystemTime {
    if path.is_dir() {
        let entries = fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let changes = entries.map(|entry| last_change(&entry.expect("an entry of the folder").path()));
        changes.max().unwrap_or(SystemTime::UNIX_EPOCH)
    } else if path.extension().is_some_and(|extension| extension == "rs") {
        let changed = path.metadata().and_then(|data| data.modified());
        changed.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    } else {
        SystemTime::UNIX_EPOCH
    }
}

/// Runs an example in a folder.
fn run(name: &str, folder: &Path, args: &[&str]) -> Output {
    assert!(REGISTERED.contains(&name), "{name} is not registered");
    let program = program(name);
    let output = Command::new(&program).args(args).current_dir(folder).output();
    output.unwrap_or_else(|error| panic!("{}: {error}", program.display()))
}

/// The JSON object on the last line of a run that ended well.
#[track_caller]
fn summary(name: &str, output: &Output) -> Value {
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{name} failed: {stderr}");
    let last = stdout.lines().last().unwrap_or_else(|| panic!("{name} said nothing; on stderr: {stderr}"));
    let value: Value = serde_json::from_str(last).unwrap_or_else(|error| panic!("{name}: {error} in {last}"));
    assert_eq!(value["example"], name, "{last}");
    value
}

/// The names of an object's fields, sorted.
fn fields(value: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = value.as_object().expect("an object").keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

#[track_caller]
fn number(value: &Value, field: &str) -> f64 {
    value[field].as_f64().unwrap_or_else(|| panic!("{field} is no number in {value}"))
}

fn figure_1_learns() {
    let folder = TempDir::new().expect("a folder");
    let summary = summary("figure_1", &run("figure_1", folder.path(), &[]));
    assert_eq!(fields(&summary), ["example", "first_loss", "last_loss"]);
    // The example itself fails if its last loss is not that of a trained model.
    assert!(number(&summary, "last_loss") < number(&summary, "first_loss"));
}

/// A network small enough for a debug build.
const TINY: [&str; 4] = ["--hidden", "32", "--latent", "4"];

/// The ELBO per image, in nats, of a fair coin for each pixel: what an untrained decoder is near.
const COINS: f64 = -784.0 * std::f64::consts::LN_2;

fn train(folder: &Path, args: &[&str]) -> Value {
    summary("vae", &run("vae", folder, &[&TINY, args].concat()))
}

#[track_caller]
fn check_vae(summary: &Value, data: &str, epochs: u64) {
    assert_eq!(fields(summary), ["data", "epochs", "example", "ms_per_step", "seed", "test_elbo"]);
    assert_eq!((&summary["data"], &summary["epochs"], &summary["seed"]), (&data.into(), &epochs.into(), &0.into()));
    let elbo = number(summary, "test_elbo");
    assert!(COINS < elbo && elbo < 0.0, "a test ELBO of {elbo}");
    assert!(number(summary, "ms_per_step") > 0.0);
}

fn the_vae_resumes_where_it_was() {
    let folder = TempDir::new().expect("a folder");
    let first = train(folder.path(), &["--epochs", "1", "--out", "pictures", "--checkpoint", "run.safetensors"]);
    check_vae(&first, "subset", 1);
    for picture in ["reconstructions.png", "samples.png", "elbo.svg"] {
        let size = folder.path().join("pictures").join(picture).metadata().map(|data| data.len());
        assert!(size.as_ref().is_ok_and(|&size| size > 500), "{picture}: {size:?}");
    }

    let resumed = train(folder.path(), &["--epochs", "2", "--checkpoint", "run.safetensors", "--resume"]);
    check_vae(&resumed, "subset", 2);
    let unbroken = train(folder.path(), &["--epochs", "2"]);
    assert_eq!(resumed["test_elbo"], unbroken["test_elbo"], "a resumed run goes on bit for bit");
    assert!(number(&resumed, "test_elbo") > number(&first, "test_elbo"));
}

/// The message of a run that fails, as it must, with exit code 1 and nothing on stdout.
#[track_caller]
fn failure(args: &[&str]) -> String {
    let folder = TempDir::new().expect("a folder");
    let output = run("vae", folder.path(), args);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_vae_names_the_folder_without_data() {
    let message = failure(&["--data", "mnist", "--data-dir", "/nonexistent/digits"]);
    assert!(message.contains("/nonexistent/digits") && message.contains("train-images-idx3-ubyte"), "{message}");
}

#[test]
fn the_vae_names_a_checkpoint_that_is_not_there_or_not_whole() {
    let missing = failure(&["--checkpoint", "/nonexistent/run.safetensors", "--resume", "--epochs", "1"]);
    assert!(missing.contains("/nonexistent/run.safetensors"), "{missing}");

    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("broken.safetensors");
    fs::write(&path, b"\x10\0\0\0\0\0\0\0{").expect("a file");
    let broken = failure(&["--checkpoint", &path.to_string_lossy(), "--resume", "--epochs", "1"]);
    assert!(broken.contains("broken.safetensors") && broken.contains("not a whole checkpoint"), "{broken}");
}

#[test]
#[ignore = "reads all of MNIST: an epoch of a tiny network"]
fn fast_vae_on_the_full_mnist() {
    if let Err(error @ vae::dataset::DatasetError::NotFound { .. }) = vae::dataset::Dataset::Mnist.load(None) {
        println!("skipped: {error}");
        return;
    }
    let folder = TempDir::new().expect("a folder");
    check_vae(&train(folder.path(), &["--data", "mnist", "--epochs", "1"]), "mnist", 1);
}
