use ppl::prelude::*;

#[model]
fn coin() {
    sample!("z": Tensor<()>, Normal::standard());
}

#[model]
fn die() {
    sample!("z": Tensor<()>, Normal::standard());
}

fn run() {
    let _ = coin.condition(DieValues::default());
}

fn main() {}
