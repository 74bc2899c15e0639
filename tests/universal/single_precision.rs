//! In `f32`: probabilities do not add up to one by a little, and the search ends all the same.

use ppl::infer::{Executions, TraceMetropolis};
use ppl::prelude::*;

type Scalar = Tensor<()>;

#[model]
fn thinned() -> usize {
    let n: Scalar = sample!("n", Poisson::new(3.0));
    let heads: Scalar = sample!("heads", Bernoulli::new(0.25));
    n.item() as usize * heads.item() as usize
}

#[test]
fn counts_end_where_rounding_begins() {
    let all = Executions::of(thinned, ()).until(0.0).budget(2_000).explore().unwrap();
    // Some of 1,000 counts are numbers of f32; what is left of the others is less than its rounding.
    assert!(all.runs() < 2_000 && all.unexplored() < 1e-6, "{} runs, {} unexplored", all.runs(), all.unexplored());
    let expected = 0.75 + 0.25 * (-3.0_f64).exp();
    assert!((all.probability(&0) - expected).abs() < 1e-6 && all.log_evidence().abs() < 1e-6);
}

#[test]
fn chains_move() {
    let mut chain = TraceMetropolis::new(thinned, (), 0).unwrap();
    let zeros = (0..4_000).filter(|_| chain.step().is_ok() && *chain.output() == 0).count() as f64 / 4_000.0;
    // Every step is taken, so that every second draw of a coin is a new one: the standard error is less than 0.015, and seven of
    // them are exceeded by chance in one of a billion runs.
    assert!((zeros - 0.7624).abs() < 0.105, "{zeros}");
    assert!((chain.acceptance_rate() - 1.0).abs() < 1e-3);
}
