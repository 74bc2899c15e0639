use ppl::prelude::*;

#[model]
fn coin(n: usize) {
    plate!("data", n, |rows, more| ());
}

fn main() {}
