use ppl::prelude::*;

#[model]
fn coin(sides: ...) {
    sample!("z": Tensor<()>, Normal::standard());
}

fn main() {}
