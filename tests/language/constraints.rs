//! Parameters in sets of vectors and matrices: they are learnt, and stay inside.

use std::sync::Arc;

use ppl::constraint::{Constraint, Image, Independent, Support};
use ppl::handler::Handler;
use ppl::handlers::{Params, Prior};
use ppl::infer::{Adam, Svi, TraceElbo};
use ppl::prelude::*;

/// The log-likelihood of counts, with their probabilities learnt.
#[model]
fn census(counts: &Tensor<Rank1<3>>) {
    let probs: Tensor<Rank1<3>> = param!("probs", Tensor::from([0.25, 0.25, 0.5]), constraint = Simplex);
    factor!("likelihood", (probs.ln() * counts).sum_all());
}

#[guide(census)]
fn nothing(_counts: &Tensor<Rank1<3>>) {}

#[test]
fn probabilities_are_learnt_on_the_simplex() {
    let data = Tensor::from([6.0, 3.0, 1.0]);
    let mut svi = Svi::new(census, nothing, Adam::new(0.05), TraceElbo::default()).seed(0);
    for _ in 0..400 {
        svi.step(&data).unwrap();
        let probs = svi.params().constrained("probs").unwrap().to_vec();
        assert_eq!(Constraint::<f32, Cpu>::violation(&Simplex, &probs, &[3]), None);
    }
    let probs = svi.params().constrained("probs").unwrap().to_vec();
    assert!(probs.iter().zip([0.6, 0.3, 0.1]).all(|(p, e)| (p - e).abs() < 1e-3), "{probs:?}");
}

/// One parameter of each set that has one.
#[model]
fn everywhere() {
    let lower: Tensor<Rank2<2, 2>> = Tensor::from([[2.0, 0.0], [-1.0, 0.5]]);
    let unit: Tensor<Rank2<2, 2>> = Tensor::from([[1.0, 0.0], [0.6, 0.8]]);
    let definite: Tensor<Rank2<2, 2>> = Tensor::from([[2.0, -1.0], [-1.0, 1.5]]);
    let correlated: Tensor<Rank2<2, 2>> = Tensor::from([[1.0, 0.5], [0.5, 1.0]]);
    let rising: Tensor<Rank1<3>> = Tensor::from([0.5, 1.0, 2.5]);
    let a: Tensor<Rank2<2, 2>> = param!("lower", lower.clone(), constraint = LowerCholesky);
    let b: Tensor<Rank2<2, 2>> = param!("unit", unit.clone(), constraint = CorrCholesky);
    let c: Tensor<Rank2<2, 2>> = param!("definite", definite.clone(), constraint = PositiveDefinite);
    let d: Tensor<Rank2<2, 2>> = param!("correlated", correlated.clone(), constraint = CorrMatrix);
    let e: Tensor<Rank1<3>> = param!("rising", rising.clone(), constraint = Ordered);
    let f: Tensor<Rank1<3>> = param!("rising_above_zero", rising.clone(), constraint = PositiveOrdered);
    let g: Tensor<Rank2<2, 2>> = param!("directions", unit.clone(), constraint = Sphere);
    let h: Tensor<Rank1<3>> = param!("free", rising.clone(), constraint = RealVector);
    let matrices = [(a, lower), (b, unit.clone()), (c, definite), (d, correlated), (g, unit)];
    let vectors = [(e, rising.clone()), (f, rising.clone()), (h, rising)];
    let near = |a: Vec<f32>, b: Vec<f32>| a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-5);
    assert!(matrices.iter().all(|(value, initial)| near(value.to_vec(), initial.to_vec())), "{matrices:?}");
    assert!(vectors.iter().all(|(value, initial)| near(value.to_vec(), initial.to_vec())), "{vectors:?}");
}

#[test]
fn every_set_gives_its_initial_value_back() {
    let mut store = ParamStore::<f32, Cpu>::new(0);
    let mut prior = Prior::seeded(0);
    everywhere.run(&mut Params::new(&mut store, &mut prior), ());
    assert_eq!(store.len(), 8);
    let definite = store.constrained("definite").unwrap().to_vec();
    assert!(definite.iter().zip([2.0, -1.0, -1.0, 1.5]).all(|(a, b)| (a - b).abs() < 1e-5), "{definite:?}");
}

#[model]
fn whole() {
    let _ = param!("count": Tensor<()>, Tensor::scalar(1.0), constraint = NonNegativeInteger);
}

#[test]
fn a_parameter_cannot_be_a_whole_number() {
    let mut store = ParamStore::<f32, Cpu>::new(0);
    let mut prior = Prior::seeded(0);
    whole.run(&mut Params::new(&mut store, &mut prior), ());
    let error = Handler::<f32, Cpu>::context(&mut prior).take_error().expect("an error");
    let text = "no unconstrained numbers can be mapped onto what is a whole number from 0";
    assert!(error.to_string().contains(text), "{error}");
    assert!(store.is_empty());
}

#[test]
fn the_prelude_has_every_set() {
    let bound = || Tensor::vector(vec![0.0]);
    let sets: Vec<Support<f32, Cpu>> = vec![
        Arc::new(Real),
        Arc::new(GreaterThan(1.0)),
        Arc::new(GreaterThanEq(1.0)),
        Arc::new(LessThan(1.0)),
        Arc::new(NonNegative),
        Arc::new(UNIT_INTERVAL),
        Arc::new(Interval { low: 0.0, high: 1.0 }),
        Arc::new(HalfOpenInterval { low: 0.0, high: 1.0 }),
        Arc::new(Bounds::new(bound(), bound())),
        Arc::new(LowerBound::new(bound())),
        Arc::new(Circular),
        Arc::new(Boolean),
        Arc::new(IntegerRange { high: 3 }),
        Arc::new(IntegerInterval { low: 0, high: 3 }),
        Arc::new(IntegerBounds::new(bound(), bound())),
        Arc::new(PositiveInteger),
        Arc::new(OneHot),
        Arc::new(Independent::new(Arc::new(Positive), 1)),
        Arc::new(Image::new(Arc::new(Real), Arc::new(transform::Exp))),
    ];
    assert!(sets.iter().all(|set| set.violation(&[f32::NAN], &[1]) == Some(0)));
}
