//! Parameters, constraints, and networks made of layers.

use ppl::handlers::{Params, Prior};
use ppl::params::Visitor;
use ppl::prelude::*;

type Scalar = Tensor<()>;

#[derive(Clone, Debug, ppl::Module)]
struct Affine<const N: usize> {
    weight: Tensor<Rank1<N>>,
    bias: Scalar,
    #[module(skip)]
    name: &'static str,
}

impl<const N: usize> Affine<N> {
    fn build(init: &mut Init<f32, Cpu>) -> Self {
        Affine { weight: init.normal(Rank1::default(), 1.0), bias: init.constant((), 0.5), name: "affine" }
    }
}

#[derive(Clone, Debug, Module)]
struct Pair<A, B>(A, B)
where
    A: Clone;

#[model]
fn learnt<const N: usize>(x: &Tensor<Rank1<N>>) -> Scalar {
    let net = module!("net", Affine::<N>::build);
    let both = module!("both", |init| Pair(Affine::<2>::build(init), init.constant((), 1.0)));
    let shift = param!("shift": Scalar, Scalar::scalar(2.0));
    let scale: Scalar = param!("scale", |init| init.constant((), 3.0), constraint = Positive);
    let again: Scalar = param!("scale", |init| init.constant((), 3.0), constraint = Positive);
    assert_eq!((scale.item(), net.name, both.0.name), (again.item(), "affine", "affine"));
    (net.weight * x).sum_all() + net.bias + shift * scale
}

#[test]
fn parameters_are_made_once_and_kept_by_name() {
    let x = Tensor::from([1.0, 1.0, 1.0]);
    let mut store = ParamStore::<f32, Cpu>::new(0);
    let mut run = || {
        let mut prior = Prior::seeded(0);
        let mut handler = Params::new(&mut store, &mut prior);
        learnt.run(&mut handler, (&x,)).item()
    };
    let (first, second) = (run(), run());
    assert_eq!(first, second);
    let mut names = Vec::new();
    store.each_tensor(|name, _| names.push(name.to_owned()));
    let expected = ["net.weight", "net.bias", "both.0.weight", "both.0.bias", "both.1", "shift", "scale"];
    assert_eq!(names, expected);
    let weight: f32 = store.get::<Affine<3>>("net").unwrap().weight.to_vec().iter().sum();
    assert!((first - (weight + 0.5 + 6.0)).abs() < 1e-5, "{first} {weight}");
}

#[test]
fn a_derived_module_shows_its_layers_in_order() {
    let pair = Pair(Scalar::scalar(1.0), Some(Scalar::scalar(2.0)));
    let mut seen = Vec::new();
    let mut show =
        |name: &str, tensor: &dyn ppl::params::ParamTensor<f32, Cpu>| seen.push((name.to_owned(), tensor.to_vec()));
    pair.visit(&mut Visitor::new("pair", &mut show));
    assert_eq!(seen, [("pair.0".to_owned(), vec![1.0]), ("pair.1".to_owned(), vec![2.0])]);
}
