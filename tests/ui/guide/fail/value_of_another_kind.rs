use ppl::prelude::*;

#[model]
fn coin() {
    sample!("sides": Tensor<(), usize>, Delta::certain(Tensor::from(6_usize)));
}

#[guide(coin)]
fn coin_guide() {
    let loc: Tensor<()> = Tensor::scalar(6.0);
    sample!("sides", Delta::certain(loc));
}

fn main() {}
