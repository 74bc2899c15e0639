use ppl::prelude::*;

#[derive(Module)]
struct Net {
    weight: Tensor<()>,
}

fn main() {}
