use ppl::prelude::*;

struct Coin;

#[guide(Coin)]
fn coin_guide() {}

fn main() {}
