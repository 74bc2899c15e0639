use ppl::prelude::*;

#[model]
fn coin(x: Tensor<()>) {
    sample!("x", Bernoulli::new(0.5), enumerate, obs = x);
}

fn main() {}
