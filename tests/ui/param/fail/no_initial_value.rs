use ppl::prelude::*;

#[model]
fn coin() {
    param!("bias");
}

fn main() {}
