use ppl::prelude::*;

#[model]
fn coin(heads: bool) {
    if heads {
        sample!("bias": Tensor<()>, Normal::standard());
    }
    sample!("bias": Tensor<()>, Normal::standard());
}

fn main() {}
