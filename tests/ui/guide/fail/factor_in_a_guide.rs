use ppl::prelude::*;

#[model]
fn coin() {}

#[guide(coin)]
fn coin_guide() {
    factor!("weight", Tensor::scalar(1.0));
}

fn main() {}
