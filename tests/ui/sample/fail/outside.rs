use ppl::prelude::*;

fn coin() {
    sample!("flip", Normal::standard());
    param!("weight", 1.0);
    module!("net", build);
    plate!("data", 3, |_| ());
    factor!("term", 1.0);
    deterministic!("sum", 1.0);
    submodel!("other", other());
}

fn main() {}
