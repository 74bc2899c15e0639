//! Whole checkpoints that do not fit: of a newer layout, of other shapes, dtypes and optimisers, and
//! with entries missing or left over.

use ppl::infer::checkpoint::{Checkpoint, VERSION};
use ppl::infer::{Sgd, Svi, TraceElbo};

use crate::switch::{Run, data, future, refused_after, switch, switch_guide, trained};

#[track_caller]
fn assert_says(error: &str, words: &[&str]) {
    assert!(words.iter().all(|word| error.contains(word)), "{error:?} lacks one of {words:?}");
}

#[test]
fn a_newer_layout() {
    let error = refused_after(|checkpoint| checkpoint.header.version = VERSION + 1);
    assert_says(&error, &["layout 2", "up to 1"]);
}

#[test]
fn a_parameter_of_another_shape() {
    let error = refused_after(|checkpoint| {
        for entry in ["param/loc", "optimizer/mean/loc", "optimizer/square/loc"] {
            checkpoint.tensors[entry] = (vec![3], vec![0.0; 3]);
        }
    });
    assert_says(&error, &["entry `param/loc`", "[3]", "[2]"]);
    let error = refused_after(|checkpoint| checkpoint.tensors["param/scale"].0 = vec![1, 1]);
    assert_says(&error, &["entry `param/scale`", "[1, 1]", "[]"]);
}

#[test]
fn a_slot_of_another_length() {
    let error = refused_after(|checkpoint| checkpoint.tensors["optimizer/square/shift"] = (vec![5], vec![0.0; 5]));
    assert_says(&error, &["entry `optimizer/square/shift`", "5 elements", "its parameter has 2"]);
}

#[test]
fn an_entry_that_is_missing() {
    let names: Vec<String> = {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.safetensors");
        trained().save(&path).unwrap();
        Checkpoint::<f64>::read(&path).unwrap().tensors.keys().cloned().collect()
    };
    assert_eq!(names.len(), 9, "three parameters with two slots each: {names:?}");
    for name in names {
        let error = refused_after(|checkpoint| drop(checkpoint.tensors.swap_remove(&name)));
        assert_says(&error, &[&format!("entry `{name}`"), "the file lacks it"]);
    }
}

#[test]
fn an_entry_that_belongs_to_nothing() {
    for name in ["param/ghost", "optimizer/mean/ghost", "optimizer/velocity/loc"] {
        let error = refused_after(|checkpoint| drop(checkpoint.tensors.insert(name.into(), (vec![2], vec![0.0; 2]))));
        assert_says(&error, &[&format!("entry `{name}`"), "the header does not name"]);
    }
}

#[test]
fn a_parameter_that_the_file_never_had() {
    let error = refused_after(|checkpoint| {
        checkpoint.header.params.retain(|name| name != "loc");
        checkpoint.header.updates.swap_remove("loc");
        checkpoint.tensors.retain(|name, _| !name.ends_with("/loc"));
    });
    assert_says(&error, &["entry `param/loc`", "the file lacks it"]);
}

#[test]
fn another_objective() {
    let error = refused_after(|checkpoint| checkpoint.header.objective.push(0));
    assert_says(&error, &["entry `objective`", "3 numbers", "has 2"]);
}

#[test]
fn another_optimiser() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    trained().save(&path).unwrap();
    let mut run: Run<Sgd<f64>> = Svi::new(switch, switch_guide, Sgd::new(0.1), TraceElbo::default()).seed(1);
    run.step((&data(), false)).unwrap();
    let before = future(&run);
    let error = run.load(&path, (&data(), false)).unwrap_err().to_string();
    assert_says(&error, &["run.safetensors", "entry `optimizer`", "saved by Adam", "is Sgd"]);
    assert!(future(&run) == before);
}

mod single {
    //! The same in the other dtype.
    use ppl::prelude::*;

    #[model]
    pub(super) fn single(x: &Tensor<()>) {
        let z: Tensor<()> = sample!("z", Normal::new(0.0_f32, 1.0_f32));
        sample!("x", Normal::new(z, 1.0_f32), obs = x);
    }

    #[guide(single)]
    pub(super) fn single_guide(_x: &Tensor<()>) {
        let loc: Tensor<()> = param!("loc", Tensor::scalar(0.5));
        sample!("z", Normal::new(loc, 1.0_f32));
    }
}

#[test]
fn another_dtype() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    trained().save(&path).unwrap();
    let x = ppl::Tensor::<(), f32>::scalar(1.0);
    let adam = ppl::infer::Adam::<f32>::new(0.1);
    let mut run = Svi::new(single::single, single::single_guide, adam, TraceElbo::default());
    run.step(&x).unwrap();
    let mut twin = run.clone();
    let error = run.load(&path, &x).unwrap_err().to_string();
    assert_says(&error, &["run.safetensors", "entry `dtype`", "saved as f64", "are f32"]);
    assert_eq!(run.step(&x).unwrap().to_bits(), twin.step(&x).unwrap().to_bits());

    // A header of the right dtype over tensors of the wrong one.
    let mut checkpoint = Checkpoint::<f64>::read(&path).unwrap();
    checkpoint.header.dtype = "f32".into();
    checkpoint.write(&path).unwrap();
    let error = run.load(&path, &x).unwrap_err().to_string();
    assert_says(&error, &["entry `", "its elements are F64", "are f32"]);
}

#[test]
fn arguments_that_the_model_cannot_take() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    trained().save(&path).unwrap();
    let mut run = trained();
    let before = future(&run);
    // NaN data make no loss, but the parameters are met: loading does not depend on it.
    let nothing = ppl::Tensor::from([f64::NAN, 0.0]);
    run.load(&path, (&nothing, true)).unwrap();
    assert!(future(&run) == before);
}
