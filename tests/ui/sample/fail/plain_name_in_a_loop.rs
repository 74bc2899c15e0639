use ppl::prelude::*;

#[model]
fn coin(n: usize) {
    for _ in 0..n {
        sample!("flip": Tensor<()>, Normal::standard());
    }
}

fn main() {}
