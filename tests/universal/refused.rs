//! What cannot be explored, in words that name the site.

use std::cell::Cell;

use ppl::infer::{Executions, TraceMetropolis};
use ppl::prelude64::*;

type Scalar = Tensor<()>;

#[track_caller]
fn refuses<T>(found: Result<T, ppl::Error>, parts: &[&str]) {
    let Err(error) = found else { panic!("it was not refused") };
    let error = error.to_string();
    assert!(parts.iter().all(|part| error.contains(part)), "{error}");
}

#[model]
fn continuous() -> bool {
    let x: Scalar = sample!("x", Normal::new(0.0, 1.0));
    x.item() > 0.0
}

#[model]
fn many() -> usize {
    let z: Tensor<Rank1<20>> = sample!("z", Bernoulli::new(Tensor::<Rank1<20>>::full(0.5)));
    z.to_vec().len()
}

#[model]
fn impossible(y: f64) -> bool {
    let z: Scalar = sample!("z", Bernoulli::new(0.5));
    sample!("y", Uniform::new(&z, &z + 1.0), obs = Scalar::scalar(y));
    z.item() > 0.0
}

/// Nothing is possible after its first site.
#[model]
fn nowhere() -> usize {
    let n: Scalar = sample!("n", Bernoulli::new(0.5));
    factor!("n_is_neither", Scalar::scalar(f64::NEG_INFINITY));
    n.item() as usize
}

#[model]
fn endless(depth: usize) -> usize {
    let x: Scalar = sample!("x_{depth}", Bernoulli::new(1.0));
    if depth < 10_000 && x.item() == 1.0 { submodel!("deeper", endless(depth + 1)) } else { depth }
}

#[model]
fn twice() -> usize {
    let mut heads = 0;
    for i in [0, 0] {
        let x: Scalar = sample!("x_{i}", Bernoulli::new(0.5));
        heads += x.item() as usize;
    }
    heads
}

#[model]
fn wrong() -> bool {
    let x: Scalar = sample!("x", Bernoulli::new(0.5));
    let y: Scalar = sample!("y", Bernoulli::new(&x * 3.0 - 1.0));
    y.item() > 0.0
}

#[test]
fn what_has_no_list_of_executions_is_named() {
    refuses(Executions::of(continuous, ()).explore(), &["`x`", "Normal", "no list"]);
    refuses(Executions::of(many, ()).explore(), &["`z`", "20 elements", "2 values"]);
    refuses(Executions::of(impossible, (5.0,)).explore(), &["`y`", "impossible"]);
    refuses(Executions::of(nowhere, ()).explore(), &["`n_is_neither`", "impossible in all 2 runs"]);
    refuses(Executions::of(endless, (0,)).longest(50).explore(), &["no execution", "50"]);
    refuses(Executions::of(wrong, ()).explore(), &["`y`", "probs"]);
    let hidden = given_twice.block(Block::Hide(vec!["x".into()]));
    refuses(Executions::of(hidden, ()).explore(), &["draws at random", "block"]);
}

#[model]
fn given_twice() -> bool {
    let x: Scalar = sample!("x", Bernoulli::new(0.5));
    let y: Scalar = sample!("y", Bernoulli::new(0.5));
    (x + y).item() > 1.0
}

#[test]
fn a_name_that_comes_twice_is_refused() {
    refuses(Executions::of(twice, ()).explore(), &["`x_0`", "twice"]);
    refuses(TraceMetropolis::new(twice, (), 0), &["`x_0`", "twice"]);
}

#[test]
fn chains_name_what_they_cannot_do() {
    refuses(TraceMetropolis::new(impossible, (5.0,), 0), &["`y`", "impossible"]);
    let mut chain = TraceMetropolis::new(given_twice, (), 0).unwrap().walk("x", 1.0).walk("y", 1.0);
    refuses(chain.step(), &["discrete"]);
}

/// A model that is another one in every run.
#[model]
fn restless(runs: &Cell<usize>) -> bool {
    let run = runs.replace(runs.get() + 1);
    let x: Scalar = sample!("x_{run}", Bernoulli::new(0.5));
    x.item() == 1.0
}

#[test]
fn a_model_that_changes_from_run_to_run_is_named() {
    refuses(Executions::of(restless, &Cell::new(0)).explore(), &["`x_1`", "`x_0`", "the same when it is repeated"]);
}

#[model]
fn panicking() -> bool {
    let x: Scalar = sample!("x", Bernoulli::new(0.5));
    assert!(x.item() < 0.5, "the model's own panic");
    true
}

#[test]
#[should_panic(expected = "the model's own panic")]
fn a_panic_of_the_model_is_passed_on() {
    let _ = Executions::of(panicking, ()).explore();
}
