use ppl::prelude::*;

#[model(observed(x))]
fn coin() {
    sample!("x": Tensor<()>, Normal::standard());
}

fn main() {}
