use ppl::prelude::*;

#[model]
fn coin() {
    sample!("bias": Tensor<()>, Normal::standard(), auxiliary);
}

fn main() {}
