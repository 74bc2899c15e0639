use ppl::prelude::*;

#[model]
fn coin() {
    let name = "bias";
    sample!(name, Normal::standard());
}

fn main() {}
