use ppl::prelude::*;

#[derive(Clone, Module)]
struct Net {
    weight: Tensor<(), f64>,
}

#[model]
fn coin() {
    module!("net", |_| Net { weight: Tensor::zeros() });
}

fn main() {}
