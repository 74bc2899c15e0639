use ppl::prelude::*;

#[model]
fn coin() {
    fn toss() {
        sample!("flip", Normal::standard());
    }
    toss();
}

fn main() {}
