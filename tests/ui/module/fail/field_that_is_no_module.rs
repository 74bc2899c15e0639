use ppl::prelude::*;

#[derive(Clone, Module)]
struct Net {
    weight: Tensor<()>,
    name: String,
}

#[model]
fn coin() {
    module!("net", |_| Net { weight: Tensor::zeros(), name: String::new() });
}

fn main() {}
