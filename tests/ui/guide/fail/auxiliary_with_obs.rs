use ppl::prelude::*;

#[model]
fn coin(_flip: &Tensor<()>) {}

#[guide(coin)]
fn coin_guide(flip: &Tensor<()>) {
    sample!("flip", Normal::standard(), auxiliary, obs = flip);
}

fn main() {}
