use ppl::prelude::*;

#[model]
fn toss() {}

#[model]
fn coin() {
    submodel!("toss", toss);
}

fn main() {}
