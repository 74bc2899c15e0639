use ppl::prelude::*;

#[model]
fn chain(n: usize) {
    markov!(0..n);
    for _ in markov!() {}
}

fn main() {}
