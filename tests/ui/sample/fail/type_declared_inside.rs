use ppl::prelude::*;

#[model]
fn coin() {
    type Scalar = Tensor<()>;
    sample!("flip": Scalar, Normal::standard());
}

fn main() {}
