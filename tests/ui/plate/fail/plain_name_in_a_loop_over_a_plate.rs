use ppl::prelude::*;

#[model]
fn coin(n: usize) {
    for _ in plate!("data", n) {
        sample!("flip": Tensor<()>, Normal::standard());
    }
}

fn main() {}
