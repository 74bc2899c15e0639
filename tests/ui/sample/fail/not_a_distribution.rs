use ppl::prelude::*;

#[model]
fn coin() {
    sample!("flip", 0.5);
}

fn main() {}
