use ppl::prelude::*;

#[model]
fn coin() {}

#[model]
fn die() {}

#[guide(die)]
fn die_guide() {}

fn guided<M, G: Guide<M>>(_: M, _: G) {}

fn run() {
    guided(coin, die_guide);
}

fn main() {}
