//! The contract between models and handlers, exercised on a model expanded by hand.

use ppl_core::address::Address;
use ppl_core::autodiff::grad;
use ppl_core::distributions::Normal;
use ppl_core::handler::Handler;
use ppl_core::handlers::Block;
use ppl_core::model::{Model, Program, trace};
use ppl_core::primitives::{observe, sample};
use ppl_core::trace::{TraceReader, TypedTrace};
use ppl_core::values::ValueMap;
use ppl_core::{Cpu, Error, Tensor};

type Scalar = Tensor<(), f64>;

/// z ~ N(0, 1), x ~ N(z, 1).
#[derive(Clone, Copy)]
struct Chain;

struct Nothing;

impl TypedTrace for Nothing {
    type Values = ValueMap;
    fn read(_: &TraceReader<'_>) -> Result<Self, Error> {
        Ok(Nothing)
    }
}

impl Program for Chain {
    type Base = Self;
    const NAME: &'static str = "chain";
}

impl Model<(Option<f64>,)> for Chain {
    type E = f64;
    type D = Cpu;
    type Output = Scalar;
    type Trace = Nothing;

    fn run(&self, h: &mut dyn Handler<f64, Cpu>, (x,): (Option<f64>,)) -> Scalar {
        let z: Scalar = sample(&mut *h, Address::fixed("z"), Normal::new(0.0, 1.0));
        observe(&mut *h, Address::fixed("x"), Normal::new(z, 1.0), x.map(Scalar::scalar))
    }
}

fn values(name: &str, value: f64) -> ValueMap {
    let mut map = ValueMap::new();
    map.put(name, Some(Scalar::scalar(value)));
    map
}

fn normal(x: f64, loc: f64) -> f64 {
    -0.5 * (x - loc).powi(2) - 0.5 * (2.0 * std::f64::consts::PI).ln()
}

#[test]
fn condition_scores_and_intervene_does_not() {
    let (_, seen) = trace(&Chain.condition(values("z", 0.5)), (Some(2.0),), 0).unwrap();
    assert!((seen.log_prob_sum().item() - normal(0.5, 0.0) - normal(2.0, 0.5)).abs() < 1e-12);
    assert!(seen.site("z").unwrap().observed);
    let (_, set) = trace(&Chain.intervene(values("z", 0.5)), (Some(2.0),), 0).unwrap();
    assert!((set.log_prob_sum().item() - normal(2.0, 0.5)).abs() < 1e-12);
}

#[test]
fn block_hides_and_scale_multiplies() {
    let (_, hidden) = trace(&Chain.block(Block::Hide(vec!["z".into()])), (Some(2.0),), 0).unwrap();
    assert!(hidden.site("z").is_none() && hidden.site("x").is_some());
    let (_, plain) = trace(&Chain, (Some(2.0),), 7).unwrap();
    let (_, scaled) = trace(&Chain.scale(3.0).scale(2.0), (Some(2.0),), 7).unwrap();
    assert!((scaled.log_prob_sum().item() - 6.0 * plain.log_prob_sum().item()).abs() < 1e-12);
}

#[test]
fn the_gradient_reaches_a_substituted_value() {
    let z = Scalar::scalar(0.3).tracked();
    let mut map = ValueMap::new();
    map.put("z", Some(z.clone()));
    let (_, grads) = grad(|| trace(&Chain.substitute(map.clone()), (Some(2.0),), 0).unwrap().1.log_prob_sum());
    assert!((grads.get(&z).unwrap().item() - (-0.3 + (2.0 - 0.3))).abs() < 1e-12);
}

#[test]
fn a_value_of_the_wrong_shape_is_an_error_that_names_the_site() {
    let mut map = ValueMap::new();
    map.put("z", Some(Tensor::<_, f64>::from([0.0, 1.0])));
    let error = trace(&Chain.condition(map), (None,), 0).unwrap_err();
    assert!(error.to_string().contains("site `z`"), "{error}");
}

#[test]
fn operators_take_one_tensor_twice() {
    let x = Tensor::<_, f64>::from([2.0, -3.0]).tracked();
    let (_, grads) = grad(|| (&x * &x + x.clone() / &x).sum_all());
    assert_eq!(grads.get(&x).unwrap().to_vec(), [4.0, -6.0]);
}
