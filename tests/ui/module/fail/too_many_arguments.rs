use ppl::prelude::*;

#[model]
fn coin() {
    module!("net", build, 3);
}

fn main() {}
