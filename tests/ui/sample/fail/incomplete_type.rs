use ppl::prelude::*;

#[model]
fn coin() {
    sample!("flip": Tensor<_>, Normal::<(), f32, Cpu>::standard());
}

fn main() {}
