use ppl::prelude::*;

#[model]
fn coin(x: f64) {
    sample!("flip": Tensor<()>, Normal::standard(), x);
}

fn main() {}
