use ppl::prelude::*;

#[model]
fn coin() {
    sample!("bias": Tensor<()>, Normal::standard());
}

#[guide(coin, dtype = f64)]
fn coin_guide() {
    sample!("bias", Delta::certain(Tensor::<()>::scalar(0.0)));
}

fn main() {}
