use ppl::prelude::*;

#[model]
unsafe fn coin() {
    sample!("z": Tensor<()>, Normal::standard());
}

fn main() {}
