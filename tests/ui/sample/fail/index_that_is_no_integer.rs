use ppl::prelude::*;

#[model]
fn coin(t: f64) {
    sample!("flip_{t}": Tensor<()>, Normal::standard());
}

fn main() {}
