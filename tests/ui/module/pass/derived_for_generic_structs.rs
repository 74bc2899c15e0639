//! A module is a struct of any form and with any generics.

use ppl::prelude::*;

#[derive(Clone, Module)]
struct Named<const N: usize, T> {
    r#type: Tensor<Rank1<N>>,
    inner: T,
    #[module(skip)]
    _name: &'static str,
}

#[derive(Clone, Module)]
struct Tuple<T: Clone>(T, Vec<T>);

#[derive(Clone, Module)]
struct Empty;

#[model]
fn coin() {
    module!("net", |_| Named { r#type: Tensor::<Rank1<2>>::zeros(), inner: Tuple(Empty, vec![Empty]), _name: "" });
}

pub(crate) fn main() {
    trace(&coin, (), 0).unwrap();
}
