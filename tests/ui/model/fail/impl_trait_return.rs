use ppl::prelude::*;

#[model]
fn coin() -> impl Clone {
    sample!("z": Tensor<()>, Normal::standard())
}

fn main() {}
