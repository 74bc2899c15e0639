//! A site may be left to data, and a guide may have sites of its own.

use ppl::prelude::*;

#[model]
fn coin() {
    sample!("bias": Tensor<()>, Normal::standard());
    sample!("flip": Tensor<()>, Normal::standard());
}

#[guide(coin, observed(flip))]
fn coin_guide() {
    let start: Tensor<()> = sample!("start", Normal::standard(), auxiliary);
    sample!("bias", Normal::new(start, 1.0));
}

pub(crate) fn main() {
    fn guided<M, G: Guide<M>>(_: M, _: G) {}
    guided(coin, coin_guide);
}
