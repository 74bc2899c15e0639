use ppl::prelude::*;

#[model]
fn coin() {
    sample!("bias": Tensor<()>, Normal::standard());
    sample!("side": Tensor<()>, Normal::standard());
}

#[guide(coin)]
fn coin_guide() {
    sample!("bias", Normal::standard());
}

fn main() {}
