use ppl::prelude::*;

#[model]
fn coin(wide: bool) {
    if wide {
        sample!("flip": Tensor<Rank1<2>>, Normal::standard());
    } else {
        sample!("flip": Tensor<()>, Normal::standard());
    }
}

fn main() {}
