use ppl::prelude::*;

#[model]
fn coin(n: usize) {
    let name = "bias";
    sample!(name, Normal::standard());
    for _ in 0..n {
        sample!("flip": Tensor<()>, Normal::standard());
    }
    plate!("data", n);
}

fn main() {}
