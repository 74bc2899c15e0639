use ppl::prelude::*;

#[model]
fn coin(n: usize) {
    for t in 0..n {
        sample!("flip_{t+1}": Tensor<()>, Normal::standard());
    }
}

fn main() {}
