use ppl::prelude::*;

#[model]
fn coin(n: usize) {
    plate!("data", n, drop);
}

fn main() {}
