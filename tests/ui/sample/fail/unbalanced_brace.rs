use ppl::prelude::*;

#[model]
fn coin(t: usize) {
    sample!("flip_{t": Tensor<()>, Normal::standard());
}

fn main() {}
