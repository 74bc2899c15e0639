use ppl::prelude::*;

#[derive(Clone, Module)]
enum Net {
    One(Tensor<()>),
}

fn main() {}
