use ppl::prelude::*;

struct Coin;

impl Coin {
    #[model]
    fn toss(&self) {
        sample!("z": Tensor<()>, Normal::standard());
    }
}

fn main() {}
