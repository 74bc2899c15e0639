//! Parameters that the run of a load does not meet wait for the step that does.

use ppl::infer::checkpoint::Checkpoint;

use crate::switch::{data, fresh, future, trained};

#[test]
fn a_parameter_not_met_yet_waits_and_survives_a_save() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let unbroken = trained();
    unbroken.save(&first).unwrap();

    let mut narrow = fresh();
    narrow.load(&first, (&data(), false)).unwrap();
    assert!(narrow.params().entry("shift").is_none());
    assert_eq!(narrow.params().pending().map(|(name, _)| name).collect::<Vec<_>>(), ["shift"]);
    narrow.save(&second).unwrap();
    let (a, b) = (Checkpoint::<f64>::read(&first).unwrap(), Checkpoint::<f64>::read(&second).unwrap());
    assert!(a.header.params.len() == 3 && a.tensors.len() == 9);
    assert!(a.tensors.iter().all(|(name, tensor)| b.tensors.get(name) == Some(tensor)));

    let mut again = fresh();
    again.load(&second, (&data(), false)).unwrap();
    // Its first step is wide: it meets the parameter and its optimiser's state.
    assert!(sorted(future(&again)) == sorted(future(&unbroken)));
    again.step((&data(), true)).unwrap();
    assert_eq!(again.params().pending().count(), 0);
}

/// The order of parameters depends on when they were met; their numbers do not.
fn sorted(mut numbers: Vec<u64>) -> Vec<u64> {
    numbers.sort_unstable();
    numbers
}

#[test]
fn a_waiting_parameter_of_another_shape_is_an_error_at_its_step() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    trained().save(&path).unwrap();
    let mut checkpoint = Checkpoint::<f64>::read(&path).unwrap();
    for entry in ["param/shift", "optimizer/mean/shift", "optimizer/square/shift"] {
        checkpoint.tensors[entry] = (vec![3], vec![0.0; 3]);
    }
    checkpoint.write(&path).unwrap();
    let mut run = fresh();
    run.load(&path, (&data(), false)).unwrap();
    run.step((&data(), false)).unwrap();
    let error = run.step((&data(), true)).unwrap_err().to_string();
    assert!(error.contains("parameter `shift`") && error.contains("[3]") && error.contains("[2]"), "{error}");
    run.step((&data(), false)).unwrap();
}
