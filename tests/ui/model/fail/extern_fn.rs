use ppl::prelude::*;

#[model]
extern "C" fn coin() {
    sample!("z": Tensor<()>, Normal::standard());
}

fn main() {}
