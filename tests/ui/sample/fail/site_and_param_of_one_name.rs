use ppl::prelude::*;

#[model]
fn coin() {
    let bias = param!("bias": Tensor<()>, Tensor::scalar(0.5));
    sample!("bias": Tensor<()>, Normal::new(bias, 1.0));
}

fn main() {}
