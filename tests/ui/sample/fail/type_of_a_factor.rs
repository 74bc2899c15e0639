use ppl::prelude::*;

#[model]
fn coin() {
    factor!("weight": Tensor<()>, Tensor::scalar(1.0));
}

fn main() {}
