use ppl::prelude::*;

#[model]
fn coin(n: usize) {
    plate!("data": Tensor<()>, n, |_| ());
}

fn main() {}
