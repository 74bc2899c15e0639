use ppl::prelude::*;

#[model]
fn coin() {
    param!("bias", Tensor::<()>::scalar(1.0), positive = true);
}

fn main() {}
