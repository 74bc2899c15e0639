use ppl::prelude::*;

#[model]
fn coin() {
    plate!("data");
}

fn main() {}
