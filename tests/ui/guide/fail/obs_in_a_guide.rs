use ppl::prelude::*;

#[model]
fn coin(flip: &Tensor<()>) {
    sample!("flip", Normal::standard(), obs = flip);
}

#[guide(coin)]
fn coin_guide(flip: &Tensor<()>) {
    sample!("flip", Normal::standard(), obs = flip);
}

fn main() {}
