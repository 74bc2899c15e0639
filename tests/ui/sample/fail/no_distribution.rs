use ppl::prelude::*;

#[model]
fn coin() {
    sample!("flip");
}

fn main() {}
