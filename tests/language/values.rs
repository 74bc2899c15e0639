//! Values structs: what `condition`, `intervene` and `substitute` take.

use ppl::prelude::*;

type Scalar = Tensor<()>;

#[model]
fn chain(n: usize, on: bool) {
    let z: Scalar = sample!("z", Normal::standard());
    for i in 0..n {
        sample!("x_{i}": Scalar, Normal::new(&z, 1.0));
    }
    if on {
        sample!("y": Scalar, Normal::new(z, 1.0));
    }
}

#[test]
fn values_name_single_sites_optional_ones_and_families() {
    let values = ChainValues { z: Some(3.0.into()), x: [(1, Scalar::scalar(4.0))].into(), ..Default::default() };
    let (_, seen) = trace(&chain.condition(values.clone()), (2, true), 0).unwrap();
    let typed: ChainTrace = seen.typed().unwrap();
    assert_eq!(typed.z.value.item(), 3.0);
    assert!(typed.z.observed && typed.x[&1].observed && !typed.x[&0].observed);
    assert!(!typed.y.unwrap().observed);
    assert!((typed.x[&1].log_prob - (-0.5 - 0.918_938_533_204_672_7)).abs() < 1e-6);

    let (_, set) = trace(&chain.intervene(values.clone()), (2, false), 0).unwrap();
    assert_eq!(set.value::<Scalar>("z").unwrap().item(), 3.0);
    let (_, substituted) = trace(&chain.substitute(values), (2, false), 0).unwrap();
    assert!(!substituted.typed::<ChainTrace>().unwrap().z.observed);
}

#[model]
fn generic<T: Clone, const N: usize>(_: T, x: Option<Tensor<Rank1<N>>>) {
    sample!("x", Normal::standard(), obs = x);
}

#[test]
fn values_share_the_generics_of_the_trace_and_need_none_of_the_model() {
    let values = GenericValues::<2> { x: Some(Tensor::from([1.0, 2.0])) };
    let (_, seen) = trace(&generic.condition(values), ("any", None::<Tensor<Rank1<2>>>), 0).unwrap();
    assert_eq!(seen.typed::<GenericTrace<2>>().unwrap().x.value.to_vec(), [1.0, 2.0]);
    let (_, seen) = trace(&generic, ((), Some(Tensor::from([3.0]))), 0).unwrap();
    assert!(seen.typed::<GenericTrace<1>>().unwrap().x.observed);
}
