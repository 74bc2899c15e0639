//! A model with a parameter that only some runs ask for, its trained run, and the check that a
//! refused checkpoint changes nothing.

use std::path::Path;

use ppl::infer::checkpoint::{Checkpoint, CheckpointError};
use ppl::infer::{Adam, Svi, TraceElbo};
use ppl::prelude64::*;

pub(crate) type Row = Tensor<Rank1<2>>;

#[model]
pub(crate) fn switch(x: &Row, wide: bool) {
    let z: Row = sample!("z", Normal::standard());
    if wide {
        let shift: Row = param!("shift", |init| init.normal(Default::default(), 0.5));
        sample!("x", Normal::new(z + shift, 1.0), obs = x);
    } else {
        sample!("x", Normal::new(z, 1.0), obs = x);
    }
}

#[guide(switch)]
pub(crate) fn switch_guide(_x: &Row, _wide: bool) {
    let loc: Row = param!("loc", |init| init.normal(Default::default(), 0.5));
    let scale: Tensor<()> = param!("scale", Tensor::scalar(0.8), constraint = Positive);
    sample!("z", Normal::new(loc, scale));
}

pub(crate) type Run<O = Adam<f64>> = Svi<switch, switch_guide, O, TraceElbo, f64, Cpu>;

pub(crate) fn data() -> Row {
    Tensor::from([1.0, -0.5])
}

/// A run that has taken no step.
pub(crate) fn fresh() -> Run {
    Svi::new(switch, switch_guide, Adam::new(0.05), TraceElbo::default()).seed(4)
}

/// A run after four steps, in one of which it was wide.
pub(crate) fn trained() -> Run {
    let (x, mut run) = (data(), fresh());
    for wide in [false, true, false, false] {
        run.step((&x, wide)).unwrap();
    }
    run
}

/// What the next two steps would be, bit for bit, and where they lead.
pub(crate) fn future<O: Clone + ppl::infer::Optimizer<f64, Cpu>>(run: &Run<O>) -> Vec<u64> {
    let (x, mut run) = (data(), run.clone());
    let mut numbers: Vec<f64> = [true, false].map(|wide| run.step((&x, wide)).unwrap()).into();
    numbers.push(run.evaluate((&x, true)).unwrap());
    run.params().each_tensor(|_, tensor| numbers.extend(tensor.to_vec()));
    numbers.into_iter().map(f64::to_bits).collect()
}

/// Loads a file that must be refused and returns what was said; the run must be as it was, and the
/// words must begin with the path.
#[track_caller]
pub(crate) fn refused(path: &Path) -> CheckpointError {
    let mut run = trained();
    let (before, steps) = (future(&run), run.steps());
    let error = run.load(path, (&data(), true)).expect_err("the file must be refused");
    assert!(error.to_string().starts_with(&path.display().to_string()), "{error}");
    assert_eq!(run.steps(), steps);
    assert!(future(&run) == before, "a refused checkpoint changed the run");
    error
}

/// [`refused`] for what `change` makes of a good checkpoint.
#[track_caller]
pub(crate) fn refused_after(change: impl FnOnce(&mut Checkpoint<f64>)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    trained().save(&path).unwrap();
    let mut checkpoint = Checkpoint::read(&path).unwrap();
    change(&mut checkpoint);
    checkpoint.write(&path).unwrap();
    refused(&path).to_string()
}
