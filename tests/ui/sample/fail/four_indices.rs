use ppl::prelude::*;

#[model]
fn coin(a: usize, b: usize, c: usize, d: usize) {
    sample!("flip_{a}_{b}_{c}_{d}": Tensor<()>, Normal::standard());
}

fn main() {}
