use ppl::prelude::*;

#[model]
fn toss() {}

#[model]
fn coin(n: usize) {
    for _ in 0..n {
        submodel!("toss", toss());
    }
}

fn main() {}
