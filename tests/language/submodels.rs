//! Models in models: under a name, on some paths, in loops, and in themselves.

use ppl::prelude::*;

type Scalar = Tensor<()>;

mod parts {
    use ppl::prelude::*;

    #[model]
    pub(super) fn encoder<const N: usize>(scale: f64) -> Tensor<Rank1<N>> {
        sample!("h": Tensor<Rank1<2>>, Normal::standard());
        sample!("untyped", Normal::<Rank1<N>, f32, Cpu>::filled(Const::<N>.into_shape(), 0.0, scale))
    }

    pub(super) trait IntoShape<S> {
        fn into_shape(self) -> S;
    }

    impl<const N: usize> IntoShape<Rank1<N>> for Const<N> {
        fn into_shape(self) -> Rank1<N> {
            (self,)
        }
    }
}

#[model]
fn step(previous: &Scalar) -> Scalar {
    let x: Scalar = sample!("x", Normal::new(previous, 1.0));
    x
}

#[model]
fn whole<M: Model<(f64,), E = f32, D = Cpu, Output = Tensor<Rank1<2>>>>(other: &M, more: bool) -> Scalar {
    submodel!("enc", parts::encoder::<3>(2.0));
    if more {
        submodel!("maybe": parts::EncoderTrace, parts::encoder::<2>(sample!("scale": Scalar, Normal::new(9.0, 0.1)).item().into()));
    }
    let mut x = Scalar::zeros();
    for t in 0..2 {
        x = submodel!("step_{t}", step(&x));
    }
    submodel!("other", (*other)(1.0));
    x
}

#[test]
fn a_submodel_is_a_field_of_its_own_trace() {
    let (x, seen) = trace(&whole, (&parts::encoder::<2>, true), 0).unwrap();
    let typed: WholeTrace = seen.typed().unwrap();
    assert_eq!(typed.enc.h.value, *seen.value::<Tensor<Rank1<2>>>("enc/h").unwrap());
    assert!(typed.maybe.is_some() && typed.scale.is_some());
    assert_eq!(typed.step[&1].x.value, x);
    assert!(seen.site("other/untyped").is_some());
    let typed: WholeTrace = trace(&whole, (&parts::encoder::<2>, false), 0).unwrap().1.typed().unwrap();
    assert!(typed.maybe.is_none());
}

#[model]
fn geometric(depth: usize) -> usize {
    let go: Scalar = sample!("go", Normal::standard());
    if depth > 0 && go.item() > -100.0 {
        return 1 + submodel!("next", geometric(depth - 1));
    }
    0
}

#[test]
fn a_model_may_be_its_own_submodel() {
    let (depth, seen) = trace(&geometric, (3,), 0).unwrap();
    assert_eq!(depth, 3);
    let typed: GeometricTrace = seen.typed().unwrap();
    let third = typed.next.unwrap().next.unwrap().next.unwrap();
    assert_eq!(third.go.value, *seen.value::<Scalar>("next/next/next/go").unwrap());
    assert!(third.next.is_none());
}

#[test]
fn values_reach_into_submodels() {
    let go = |value: f32, next| GeometricValues { go: Some(value.into()), next };
    let values = go(1.0, Some(Box::new(go(-200.0, None))));
    let (depth, seen) = trace(&geometric.condition(values), (3,), 0).unwrap();
    assert_eq!(depth, 1);
    assert!(seen.site("next/go").unwrap().observed && seen.site("next/next/go").is_none());

    let second = [(1, StepValues { x: Some(7.0.into()) })].into();
    let given = whole.condition(WholeValues { step: second, ..Default::default() });
    let (x, _) = trace(&given, (&parts::encoder::<2>, false), 0).unwrap();
    assert_eq!(x.item(), 7.0);
}

#[model]
fn tree<const N: usize>(x: &Tensor<Rank1<N>>, depth: usize) {
    let _leaf: Tensor<Rank1<N>> = sample!("leaf", Normal::new(x, 1.0));
    if depth > 0 {
        for side in 0..2 {
            submodel!("child_{side}", tree(x, depth - 1));
        }
    }
}

#[test]
fn recursion_keeps_its_generics_and_may_branch() {
    let x = Tensor::from([0.0; 2]);
    let typed: TreeTrace<2> = trace(&tree, (&x, 2), 0).unwrap().1.typed().unwrap();
    assert_eq!(typed.child[&1].child[&0].leaf.value.dims(), [2]);
}
