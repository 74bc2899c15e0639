use ppl::prelude::*;

#[model(tensor = f64)]
fn coin() {
    sample!("z": Tensor<()>, Normal::standard());
}

fn main() {}
