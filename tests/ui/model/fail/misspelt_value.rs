use ppl::prelude::*;

#[model]
fn coin() {
    sample!("bias": Tensor<()>, Normal::standard());
}

fn run() {
    let _ = coin.condition(CoinValues { bais: None });
}

fn main() {}
