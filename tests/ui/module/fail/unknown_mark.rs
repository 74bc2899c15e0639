use ppl::prelude::*;

#[derive(Clone, Module)]
struct Net {
    #[module(ignore)]
    weight: Tensor<()>,
}

fn main() {}
