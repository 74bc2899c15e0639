use ppl::prelude::*;

#[model]
fn coin(n: usize) {
    plate!("data", n, subsample = 3, rows = [1, 2], |_| ());
}

fn main() {}
