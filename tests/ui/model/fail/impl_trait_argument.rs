use ppl::prelude::*;

#[model]
fn coin(sides: impl Iterator<Item = usize>) {
    sample!("z": Tensor<()>, Normal::filled((), 0.0, sides.count() as f64));
}

fn main() {}
