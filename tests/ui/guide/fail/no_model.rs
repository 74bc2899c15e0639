use ppl::prelude::*;

#[guide]
fn coin_guide() {
    sample!("bias", Normal::standard());
}

fn main() {}
