use ppl::prelude::*;

#[model]
async fn coin() {
    sample!("z": Tensor<()>, Normal::standard());
}

fn main() {}
