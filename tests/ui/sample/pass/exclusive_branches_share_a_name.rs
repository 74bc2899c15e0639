//! Branches that exclude each other may sample one name, and a path that ends may have sampled it before.

use ppl::prelude::*;

#[model]
fn coin(heads: bool, tails: bool) {
    if heads {
        sample!("flip": Tensor<()>, Normal::standard());
        return;
    }
    match tails {
        true => drop(sample!("flip": Tensor<()>, Normal::new(1.0, 1.0))),
        false => drop(sample!("flip": Tensor<()>, Normal::new(2.0, 1.0))),
    }
}

pub(crate) fn main() {
    let typed: CoinTrace = trace(&coin, (false, true), 0).unwrap().1.typed().unwrap();
    assert!(typed.flip.is_some());
}
