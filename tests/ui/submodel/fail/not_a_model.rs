use ppl::prelude::*;

fn toss() {}

#[model]
fn coin() {
    submodel!("toss", (toss)());
}

fn main() {}
