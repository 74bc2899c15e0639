use ppl::prelude::*;

#[model]
fn coin() {
    sample!("flip", Normal::<(), f64, Cpu>::standard());
}

fn main() {}
