use ppl::prelude::*;

#[model]
fn coin() {
    let toss = || sample!("flip": Tensor<()>, Normal::standard());
    toss();
}

fn main() {}
