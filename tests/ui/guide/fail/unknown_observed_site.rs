use ppl::prelude::*;

#[model]
fn coin() {
    sample!("bias": Tensor<()>, Normal::standard());
}

#[guide(coin, observed(bais))]
fn coin_guide() {
    sample!("bias", Normal::standard());
}

fn main() {}
