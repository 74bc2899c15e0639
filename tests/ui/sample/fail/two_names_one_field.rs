use ppl::prelude::*;

#[model]
fn coin() {
    sample!("flip_1": Tensor<()>, Normal::standard());
    sample!("flip-1": Tensor<()>, Normal::standard());
}

fn main() {}
