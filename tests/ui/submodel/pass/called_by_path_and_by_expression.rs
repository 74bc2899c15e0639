//! A submodel is called by its path or as an expression in parentheses.

use ppl::prelude::*;

mod parts {
    use ppl::prelude::*;

    #[model]
    pub fn toss<const N: usize>() -> usize {
        sample!("flip": Tensor<()>, Normal::standard());
        N
    }
}

#[model]
fn coin() -> usize {
    submodel!("path", parts::toss::<1>()) + submodel!("annotated": parts::TossTrace, (parts::toss::<2>)())
}

pub(crate) fn main() {
    let (sum, seen) = trace(&coin, (), 0).unwrap();
    let typed: CoinTrace = seen.typed().unwrap();
    assert!(sum == 3 && typed.path.flip.value != typed.annotated.flip.value);
}
