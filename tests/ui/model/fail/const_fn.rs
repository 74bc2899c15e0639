use ppl::prelude::*;

#[model]
const fn coin() {
    sample!("z": Tensor<()>, Normal::standard());
}

fn main() {}
