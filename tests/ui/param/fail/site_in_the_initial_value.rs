use ppl::prelude::*;

#[model]
fn coin() {
    param!("bias", sample!("start": Tensor<()>, Normal::standard()));
}

fn main() {}
