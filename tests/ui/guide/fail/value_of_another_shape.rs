use ppl::prelude::*;

#[model]
fn coin() {
    sample!("bias": Tensor<Rank1<3>>, Normal::standard());
}

#[guide(coin)]
fn coin_guide() {
    let loc = Tensor::from([0.0, 1.0]);
    sample!("bias", Normal::new(loc, 1.0));
}

fn main() {}
