use ppl::prelude::*;

#[model]
fn longest(left: &str, right: &str) -> &str {
    if left.len() > right.len() { left } else { right }
}

fn main() {}
