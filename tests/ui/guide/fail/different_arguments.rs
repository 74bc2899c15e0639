use ppl::prelude::*;

#[model]
fn coin(flips: &Tensor<Rank1<3>>) {
    sample!("bias": Tensor<()>, Normal::standard());
    sample!("flips", Normal::new(flips, 1.0), obs = flips);
}

#[guide(coin)]
fn coin_guide(_flips: &Tensor<Rank1<4>>) {
    sample!("bias", Normal::<(), f32, Cpu>::standard());
}

fn main() {}
