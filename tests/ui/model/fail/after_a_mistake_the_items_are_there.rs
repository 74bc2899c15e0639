use ppl::prelude::*;

#[model]
fn coin(name: &'static str) {
    sample!(name, Normal::standard());
    sample!("bias": Tensor<()>, Normal::standard());
}

#[guide(coin)]
fn coin_guide(_name: &'static str) {
    sample!("bias", Normal::standard());
}

fn run() {
    let _ = trace(&coin.condition(CoinValues { bias: None }), ("a",), 0);
}

fn main() {}
