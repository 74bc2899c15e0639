use ppl::prelude::*;

#[model]
fn coin(t: usize) {
    sample!("{t}": Tensor<()>, Normal::standard());
}

fn main() {}
