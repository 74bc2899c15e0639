use ppl::prelude::*;

#[model]
fn coin() {
    deterministic!("sum");
}

fn main() {}
