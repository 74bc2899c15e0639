use ppl::prelude::*;

#[model]
fn coin(n: usize) {
    let rows = plate!("data", n);
}

fn main() {}
