use ppl::prelude::*;

#[model]
fn coin() {
    sample!();
}

fn main() {}
