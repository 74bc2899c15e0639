use ppl::prelude::*;

#[model]
fn coin() {
    factor!("weight");
}

fn main() {}
