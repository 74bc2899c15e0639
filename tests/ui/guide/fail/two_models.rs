use ppl::prelude::*;

#[model]
fn coin() {}

#[model]
fn die() {}

#[guide(coin, die)]
fn coin_guide() {}

fn main() {}
