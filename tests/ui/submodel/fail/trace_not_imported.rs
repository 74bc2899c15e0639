use ppl::prelude::*;

mod parts {
    use ppl::prelude::*;

    #[model]
    pub fn toss() {}
}

use parts::toss;

#[model]
fn coin() {
    submodel!("toss", toss());
}

fn main() {}
