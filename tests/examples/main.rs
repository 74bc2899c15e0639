//! Every example runs with a tiny setting, ends well, and says what it should on its last line.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::SystemTime;

use serde_json::Value;
use tempfile::TempDir;

// An example is built either as a program, which the tests below run, or as its own tests; so the
// tests inside their modules are part of this file.
#[path = "../../examples/dmm/main.rs"]
#[allow(dead_code, unreachable_pub, reason = "a program's items, of which only the tests are wanted here")]
#[allow(clippy::duplicate_mod, reason = "both programs have the module of examples/pictures")]
mod dmm;
#[path = "../../examples/vae/main.rs"]
#[allow(dead_code, unreachable_pub, reason = "a program's items, of which only the tests are wanted here")]
#[allow(clippy::duplicate_mod, reason = "both programs have the module of examples/pictures")]
mod vae;

// The examples of guides made of a model alone.
mod autoguides;
// The examples of Markov chains.
mod chains;
// The example of particles in time.
mod particles;
// The examples whose sites come and go.
mod universal;

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
    bayesian_regression: autoguides::a_regression_is_exact;
    bnn: autoguides::a_network_is_less_sure_in_the_gap;
    church: universal::programs_of_church_are_exact;
    composed_inference: chains::an_outlier_is_no_part_of_a_line;
    dmm: the_dmm_learns;
    eight_schools: chains::the_eight_schools_are_sampled;
    figure_1: figure_1_learns;
    gaussian_mixture: chains::a_mixture_is_found_by_gibbs_sampling;
    hidden_markov: chains::hidden_states_are_found;
    logistic_autoguides: autoguides::every_autoguide_is_near_the_posterior;
    logistic_regression: chains::a_table_is_regressed;
    mixture_model: autoguides::a_mixture_is_summed_out;
    open_universe: particles::lamps_are_counted;
    radon: chains::radon_is_found_by_county;
    semi_supervised_vae: autoguides::labels_are_summed_out;
    state_space: particles::states_are_filtered;
    scalar_implicature: universal::some_is_not_all;
    two_objectives: autoguides::either_bound_fits;
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
    assert_eq!(found, registered, "the folder (left) and the list at the top of tests/examples/main.rs (right)");
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
    let changed = match sources.is_dir() {
        true => last_change(&sources),
        false => last_change(&sources.with_extension("rs")),
    };
    let changed = ["examples/pictures", "examples/sampling"]
        .map(|shared| last_change(&root().join(shared)))
        .into_iter()
        .fold(changed, SystemTime::max);
    assert!(built >= changed, "{} is older than its sources: {advice}", path.display());
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
fn failure(name: &str, args: &[&str]) -> String {
    let folder = TempDir::new().expect("a folder");
    let output = run(name, folder.path(), args);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_vae_names_the_folder_without_data() {
    let message = failure("vae", &["--data", "mnist", "--data-dir", "/nonexistent/digits"]);
    assert!(message.contains("/nonexistent/digits") && message.contains("train-images-idx3-ubyte"), "{message}");
}

#[test]
fn the_vae_names_a_checkpoint_that_is_not_there_or_not_whole() {
    let missing = failure("vae", &["--checkpoint", "/nonexistent/run.safetensors", "--resume", "--epochs", "1"]);
    assert!(missing.contains("/nonexistent/run.safetensors"), "{missing}");

    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("broken.safetensors");
    fs::write(&path, b"\x10\0\0\0\0\0\0\0{").expect("a file");
    let broken = failure("vae", &["--checkpoint", &path.to_string_lossy(), "--resume", "--epochs", "1"]);
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

/// The few chorales of the dmm as a file, so that every machine has the same.
const SAMPLE: [&str; 2] = ["--data-dir", concat!(env!("CARGO_MANIFEST_DIR"), "/examples/dmm/data/sample.json.gz")];

/// Options with which it learns in a few epochs. (Already with a rate of 2e-3, the recurrent layer may explode.)
const QUICK: [&str; 6] = ["--lr", "7e-4", "--annealing-epochs", "1", "--batch", "4"];

/// Nats per time step between those of an untrained model, which are more than those of a fair coin for each of the
/// 88 keys (61), and those of a model that knows which keys are rare.
const LEARNT: f64 = 30.0;

fn train_dmm(folder: &Path, args: &[&str]) -> Value {
    let summary = summary("dmm", &run("dmm", folder, &[&SAMPLE[..], &QUICK, args].concat()));
    let names =
        ["data", "epochs", "example", "iafs", "seconds_per_epoch", "seed", "test_nll", "train_nll", "valid_nll"];
    assert_eq!(fields(&summary), names);
    assert_eq!((&summary["data"], &summary["seed"]), (&"other".into(), &0.into()));
    summary
}

/// The figures of the three splits.
fn nll(summary: &Value) -> [f64; 3] {
    ["train_nll", "valid_nll", "test_nll"].map(|field| number(summary, field))
}

#[track_caller]
fn check_learns(untrained: &Value, trained: &Value) {
    assert_eq!((&untrained["epochs"], &untrained["iafs"]), (&0.into(), &trained["iafs"]));
    assert!(nll(untrained).iter().all(|&nats| nats > LEARNT), "{untrained}");
    assert!(nll(trained).iter().all(|&nats| 0.0 < nats && nats < LEARNT), "{trained}");
    assert!(number(trained, "seconds_per_epoch") > 0.0, "{trained}");
}

fn the_dmm_learns() {
    let folder = TempDir::new().expect("a folder");
    let untrained = train_dmm(folder.path(), &["--epochs", "0", "--out", "untrained"]);
    let trained = train_dmm(folder.path(), &["--epochs", "10", "--eval-every", "4", "--out", "deep/trained"]);
    check_learns(&untrained, &trained);
    assert_eq!(trained["epochs"], 10);
    assert_eq!(check_outputs(&folder.path().join("untrained")), [0]);
    assert_eq!(check_outputs(&folder.path().join("deep/trained")), [4, 8, 10]);
}

#[test]
fn the_dmm_learns_with_a_flow() {
    let folder = TempDir::new().expect("a folder");
    let untrained = train_dmm(folder.path(), &["--iafs", "1", "--epochs", "0"]);
    let trained = train_dmm(folder.path(), &["--iafs", "1", "--epochs", "8"]);
    check_learns(&untrained, &trained);
    assert_eq!(trained["iafs"], 1);
}

/// Reads all that the dmm wrote, each file as what it is; the epochs of its curves.
fn check_outputs(folder: &Path) -> Vec<u64> {
    let read = |name: &str| fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let chorales = ["generated_1", "generated_2", "generated_3", "generated_4", "test_chorale"];
    for name in chorales {
        let info = png::Decoder::new(std::io::Cursor::new(read(&format!("{name}.png")))).read_info();
        let (width, height) = info.expect("a picture").info().size();
        let midi = read(&format!("{name}.mid"));
        let midi = midly::Smf::parse(&midi).expect("a MIDI file");
        let ticks: u32 = midi.tracks[0].iter().map(|event| event.delta.as_int()).sum();
        // Eight pixels and 480 ticks for each step.
        assert_eq!((height, (width - 16) / 8), (368, ticks / 480), "{name}");
        assert!(name == "test_chorale" || ticks == 64 * 480, "{name} has {ticks} ticks");
    }
    let svg = String::from_utf8(read("curves.svg")).expect("text");
    assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>") && svg.contains("NLL"), "{svg}");
    let table = String::from_utf8(read("curves.csv")).expect("text");
    let (header, rows) = table.split_once('\n').expect("lines");
    assert_eq!(header, "epoch,train_nll,valid_nll,test_nll");
    assert_eq!(fs::read_dir(folder).expect("the folder").count(), 2 * chorales.len() + 2);
    rows.lines().map(|row| row.split(',').next().and_then(|epoch| epoch.parse().ok()).expect("an epoch")).collect()
}

#[test]
fn the_dmm_resumes_where_it_was() {
    let folder = TempDir::new().expect("a folder");
    let train = |args: &[&str]| train_dmm(folder.path(), &[&["--iafs", "1", "--eval-every", "1"], args].concat());
    let unbroken = train(&["--epochs", "3", "--out", "unbroken"]);
    let part = ["--checkpoint", "run.safetensors", "--out", "parts"];
    let first = train(&[&part[..], &["--epochs", "1"]].concat());
    fs::copy(folder.path().join("run.safetensors"), folder.path().join("early.safetensors")).expect("a copy");
    assert_ne!(nll(&first), nll(&unbroken));
    // The last two have nothing left to do.
    for (epochs, summed) in [("2", 2), ("3", 3), ("3", 3), ("1", 3)] {
        let resumed = train(&[&part[..], &["--resume", "--epochs", epochs]].concat());
        assert_eq!(resumed["epochs"], summed);
        assert_eq!(nll(&resumed) == nll(&unbroken), summed == 3, "a resumed run goes on bit for bit");
    }
    same_files(folder.path(), "unbroken", "parts");

    // From an older checkpoint, the curves lose what came after it and get it again.
    let early = ["--checkpoint", "early.safetensors", "--out", "parts", "--resume"];
    train(&[&early[..], &["--epochs", "2"]].concat());
    assert_eq!(check_outputs(&folder.path().join("parts")), [1, 2]);
    train(&[&early[..], &["--epochs", "3"]].concat());
    same_files(folder.path(), "unbroken", "parts");

    let path = folder.path().join("run.safetensors");
    let path = path.to_str().expect("a path in UTF-8");
    let wrong = |args: &[&str]| failure("dmm", &[&SAMPLE[..], &["--checkpoint", path, "--resume"], args].concat());
    let message = wrong(&["--iafs", "2"]);
    assert!(message.contains("run.safetensors: made with --iafs 1, but this run has --iafs 2"), "{message}");
    let message = wrong(&["--iafs", "0"]);
    assert!(message.contains("run.safetensors: made with --iafs 1, but this run has --iafs 0"), "{message}");
    let message = wrong(&["--iafs", "1", "--batch", "4", "--seed", "7"]);
    assert!(message.contains("run.safetensors: made with --seed 0, but this run has --seed 7"), "{message}");
    let message = wrong(&["--iafs", "1", "--batch", "5"]);
    assert!(message.contains("its 18 steps are no whole epochs of 5 steps"), "{message}");
}

/// Fails unless two folders hold the same files.
#[track_caller]
fn same_files(parent: &Path, one: &str, other: &str) {
    let files = |name: &str| -> Vec<(std::ffi::OsString, Vec<u8>)> {
        let entries = fs::read_dir(parent.join(name)).expect("a folder").map(|entry| entry.expect("an entry"));
        let mut files: Vec<_> = entries.map(|e| (e.file_name(), fs::read(e.path()).expect("a file"))).collect();
        files.sort();
        files
    };
    for (one, other) in files(one).into_iter().zip(files(other)) {
        assert!(one == other, "{:?} and {:?} differ", one.0, other.0);
    }
    assert_eq!(files(one).len(), files(other).len());
}

#[test]
fn the_dmm_names_a_file_that_is_not_there() {
    let message = failure("dmm", &[&SAMPLE[..], &["--checkpoint", "/nonexistent/run", "--resume"]].concat());
    assert!(message.contains("/nonexistent/run: no checkpoint to resume"), "{message}");
    let message = failure("dmm", &[&SAMPLE[..], &["--checkpoint", "/nonexistent/run"]].concat());
    assert!(message.contains("/nonexistent/run: the folder of the checkpoint is not there"), "{message}");
    let message = failure("dmm", &["--data-dir", "/nonexistent"]);
    assert!(message.contains("/nonexistent") && message.contains("jsb_chorales.json.gz"), "{message}");
}

#[test]
fn the_dmm_says_what_it_runs_on_where_no_one_watches() {
    let folder = TempDir::new().expect("a folder");
    let output = run("dmm", folder.path(), &[&SAMPLE[..], &["--epochs", "2", "--eval-every", "1"]].concat());
    let stderr = String::from_utf8_lossy(&output.stderr);
    for part in ["sample.json.gz: 24 training", "do not compare with published ones", "epoch    1: ", "epoch    2: "] {
        assert!(stderr.contains(part), "{part:?} is not in {stderr}");
    }
    assert_eq!(stderr.lines().count(), 4, "{stderr}");
}

#[test]
#[ignore = "trains on all of the JSB chorales: five epochs"]
fn fast_dmm_on_all_chorales() {
    match dmm::chorales::load(None).expect("chorales") {
        (chorales, _) if chorales.are_of_the_papers() => {}
        (_, source) => return println!("skipped: the JSB chorales were not found, but {source}"),
    }
    let folder = TempDir::new().expect("a folder");
    let quick = ["--epochs", "5", "--lr", "7e-4", "--annealing-epochs", "1"];
    let summary = summary("dmm", &run("dmm", folder.path(), &quick));
    assert_eq!(summary["data"], "jsb");
    assert!(nll(&summary).iter().all(|&nats| 0.0 < nats && nats < LEARNT), "{summary}");
}
