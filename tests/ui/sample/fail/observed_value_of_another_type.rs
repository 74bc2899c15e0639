use ppl::prelude::*;

#[model]
fn coin(flip: &str) {
    sample!("flip": Tensor<()>, Normal::standard(), obs = flip);
}

fn main() {}
