use ppl::prelude::*;

#[model]
fn coin(flip: &Tensor<()>) {
    sample!("flip", Normal::standard(), observed = flip);
}

fn main() {}
