//! Guides with enumerated sites: bounds and gradients against sums over all their assignments.

use std::collections::BTreeMap;

use ppl::autodiff::{Gradients, try_grad};
use ppl::handler::Handler;
use ppl::handlers::{Params, Prior, Tracer};
use ppl::infer::runs::Programs;
use ppl::infer::{Objective, TraceEnumElbo};
use ppl::prelude64::*;
use ppl::rng::Rng;
use ppl::shared::Shared;

use crate::brute_force::{Assign, Discrete, assignments, site};

type Scalar = Tensor<()>;
type Vector = Tensor<(usize,)>;

/// ln of the density of a program's run at these numbers.
fn log_density<A: Clone, M: Model<A, E = f64, D = Cpu>>(
    program: &M,
    args: &A,
    store: &mut ParamStore<f64, Cpu>,
    numbers: &BTreeMap<String, Vec<f64>>,
) -> Scalar {
    let mut prior = Prior::new(Rng::seed(0));
    let mut params = Params::new(store, &mut prior);
    let mut assign = Assign { inner: &mut params, numbers, met: Vec::new() };
    let mut tracer = Tracer::new(&mut assign);
    program.run(&mut tracer, args.clone());
    let trace = tracer.into_trace();
    Handler::<f64, Cpu>::context(&mut params).finish(trace.log_prob_sum()).expect("the run is right")
}

fn gradient(store: &ParamStore<f64, Cpu>, grads: &Gradients<f64, Cpu>) -> Vec<f64> {
    let mut all = Vec::new();
    store.each_tensor(|_, tensor| all.extend(tensor.gradient(grads).expect("it learns")));
    all
}

/// Σ q(d) (ln Σ p(x, d, m) − ln q(d)), all by itself.
fn brute_force<A, M, G>(
    (model, guide): (&M, &G),
    args: &A,
    (of_guide, of_model): (&[Discrete], &[Discrete]),
    store: &mut ParamStore<f64, Cpu>,
) -> (f64, Vec<f64>)
where
    A: Clone,
    M: Model<A, E = f64, D = Cpu>,
    G: Model<A, E = f64, D = Cpu>,
{
    let (elbo, (), grads) = try_grad(|| {
        let mut elbo = Scalar::scalar(0.0);
        for guided in assignments(of_guide) {
            let log_q = log_density(guide, args, store, &guided);
            let joints: Vec<Scalar> = assignments(of_model)
                .into_iter()
                .map(|own| log_density(model, args, store, &guided.clone().into_iter().chain(own).collect()))
                .collect();
            let best = joints.iter().map(Tensor::item).fold(f64::NEG_INFINITY, f64::max);
            let sum = joints.iter().map(|joint| (joint - best).exp()).fold(Scalar::scalar(0.0), |a, b| a + b);
            elbo = elbo + log_q.exp() * (sum.ln() + best - &log_q);
        }
        Ok::<_, ppl::Error>((elbo, ()))
    })
    .expect("no error");
    (elbo.item(), gradient(store, &grads))
}

fn found<A, M, G>(programs: (&M, &G), args: &A, store: &mut ParamStore<f64, Cpu>) -> (f64, Vec<f64>)
where
    A: Clone + Shared,
    M: Model<A, E = f64, D = Cpu>,
    G: Model<A, E = f64, D = Cpu>,
{
    let rng = |particle| Rng::stream(3, particle);
    let (_, loss, grads) = try_grad(|| {
        let mut runs = Programs { programs, args: args.clone(), params: store, rng: &rng, validate: true };
        TraceEnumElbo::default().surrogate(&mut runs).map(|(loss, tensor)| (tensor, loss))
    })
    .expect("it can be enumerated");
    (-loss, gradient(store, &grads).into_iter().map(|g| -g).collect())
}

fn agrees<A, M, G>(model: M, guide: G, args: A, sites: (&[Discrete], &[Discrete]))
where
    A: Clone + Shared,
    M: Model<A, E = f64, D = Cpu>,
    G: Model<A, E = f64, D = Cpu>,
{
    let mut store = ParamStore::new(0);
    let (elbo, slopes) = found((&model, &guide), &args, &mut store);
    let (expected, expected_slopes) = brute_force((&model, &guide), &args, sites, &mut store);
    let close = |found: f64, expected: f64| (found - expected).abs() < 1e-10 * (1.0 + expected.abs());
    assert!(close(elbo, expected), "{elbo} for {expected}");
    assert_eq!(slopes.len(), expected_slopes.len());
    for (found, expected) in slopes.iter().zip(&expected_slopes) {
        assert!(close(*found, *expected), "{slopes:?} for {expected_slopes:?}");
    }
}

fn number(value: &Tensor<(), usize>) -> f64 {
    value.to_vec()[0] as f64
}

#[model]
fn alone() {
    let bend: Scalar = param!("bend", Tensor::scalar(0.4));
    let a: Tensor<(), usize> = sample!("a", Categorical::new(Tensor::from([0.2, 0.5, 0.3])));
    let b: Scalar = sample!("b", Bernoulli::from_logits(&bend * (number(&a) - 0.7)));
    let c: Scalar = sample!("c", Bernoulli::from_logits(&b * 1.3 - &bend), enumerate);
    sample!("y", Normal::new(&b * 1.5 + &bend * number(&a) + &c * 0.6, 0.8), obs = Tensor::scalar(0.9));
}

#[guide(alone)]
fn alone_guide() {
    let logits: Tensor<Rank1<3>> = param!("logits", Tensor::from([0.1, -0.4, 0.3]));
    let tilt: Scalar = param!("tilt", Tensor::scalar(-0.6));
    let a: Tensor<(), usize> = sample!("a", Categorical::from_logits(logits), enumerate);
    sample!("b", Bernoulli::from_logits(&tilt * (number(&a) + 0.5)), enumerate);
}

#[test]
fn sites_of_a_guide_without_plates() {
    agrees(alone, alone_guide, (), (&[site("a", 1, 3), site("b", 1, 2)], &[site("c", 1, 2)]));
}

#[model]
fn rows(y: &Vector) {
    let bend: Scalar = param!("bend", Tensor::scalar(0.4));
    let n = y.shape().0;
    let g: Scalar = sample!("g", Bernoulli::from_logits(&bend * 0.5));
    plate!("rows", n, |_| {
        let z: Vector = sample!("z", Bernoulli::from_logits((&g * 0.8 - &bend).expand((n,))));
        let w: Vector = sample!("w", Bernoulli::from_logits(&z * 1.1 - 0.3), enumerate);
        let shift: Vector = (&g * 0.3).expand((n,));
        sample!("y", Normal::new((&z + &w * 0.4) * bend.expand::<(usize,)>((n,)) + shift, 0.6), obs = y);
    });
}

#[guide(rows)]
fn rows_guide(y: &Vector) {
    let n = y.shape().0;
    let (tilt, logits): (Scalar, Vector) =
        (param!("tilt", Tensor::scalar(0.3)), param!("logits", Tensor::vector(vec![0.2, -0.5, 0.9])));
    let g: Scalar = sample!("g", Bernoulli::from_logits(&tilt), enumerate);
    plate!("rows", n, |_| {
        sample!("z", Bernoulli::from_logits(logits + (&g * &tilt).expand::<(usize,)>((n,))), enumerate);
    });
}

#[test]
fn sites_of_a_guide_in_a_plate() {
    let y = Vector::vector(vec![0.3, 1.4, -0.6]);
    agrees(rows, rows_guide, (&y,), (&[site("g", 1, 2), site("z", 3, 2)], &[site("w", 3, 2)]));
}

#[model]
fn chain(y: &[f64]) {
    let bend: Scalar = param!("bend", Tensor::scalar(0.4));
    let mut last = 0.0;
    for t in markov!(0..y.len()) {
        let x: Scalar = sample!("x_{t}", Bernoulli::from_logits(&bend * 2.0 * (last - 0.4)));
        let w: Scalar = sample!("w_{t}", Bernoulli::from_logits(&x * 0.7 - 0.2), enumerate);
        last = x.item();
        sample!("y_{t}", Normal::new(&bend * (&x + &w * 0.5), 0.7), obs = Tensor::scalar(y[t]));
    }
}

#[guide(chain)]
fn chain_guide(y: &[f64]) {
    let tilt: Scalar = param!("tilt", Tensor::scalar(0.7));
    let mut last = 0.5;
    for t in markov!(0..y.len()) {
        let x: Scalar = sample!("x_{t}", Bernoulli::from_logits(&tilt * (last - 0.3) + 0.2 * y[t]), enumerate);
        last = x.item();
    }
}

#[test]
fn a_chain_in_the_guide() {
    let y = [0.4, -0.2, 0.9, 0.1];
    let of = |name: &str| (0..y.len()).map(|t| site(format!("{name}_{t}"), 1, 2)).collect::<Vec<_>>();
    agrees(chain, chain_guide, (&y[..],), (&of("x"), &of("w")));
}

#[model]
fn mixed(y: &Vector) {
    let n = y.shape().0;
    plate!("rows", n, |_| {
        let z: Vector = sample!("z", Bernoulli::from_logits(Vector::vector(vec![0.3; n])));
        let x: Vector = sample!("x", Normal::new(&z * 1.5, 1.0));
        sample!("y", Normal::new(x, 0.5), obs = y);
    });
}

#[guide(mixed)]
fn mixed_guide(y: &Vector) {
    let n = y.shape().0;
    plate!("rows", n, |_| {
        let logits: Vector = param!("logits", Tensor::vector(vec![0.2, -0.5, 0.9]));
        let loc: Vector = param!("loc", Tensor::vector(vec![0.1, 0.3, -0.2]));
        let z: Vector = sample!("z", Bernoulli::from_logits(logits), enumerate);
        sample!("x", Normal::new(loc + &z * 0.8 + y * 0.5, 0.4));
    });
}

#[test]
fn draws_that_depend_on_enumerated_sites_are_pathwise() {
    let y = Vector::vector(vec![0.3, 1.4, -0.6]);
    let mut store = ParamStore::new(0);
    let (_, slopes) = found((&mixed, &mixed_guide), &(&y,), &mut store);
    // With the same noise the bound is a smooth function of the parameters.
    let at = |name: &str, element: usize, shift: f64| {
        let mut moved = ParamStore::new(0);
        let mut values = match name {
            "logits" => vec![0.2, -0.5, 0.9],
            _ => vec![0.1, 0.3, -0.2],
        };
        values[element] += shift;
        moved.set_pending([(name.to_owned(), (vec![3], values))]);
        found((&mixed, &mixed_guide), &(&y,), &mut moved).0
    };
    for (number, slope) in slopes.iter().enumerate() {
        let (name, element) = (["logits", "loc"][number / 3], number % 3);
        let expected = (at(name, element, 1e-5) - at(name, element, -1e-5)) / 2e-5;
        assert!((slope - expected).abs() < 1e-7, "{name}[{element}]: {slope} for {expected}");
    }
}

#[model]
fn strict() {
    let a: Scalar = sample!("a", Bernoulli::new(0.5));
    sample!("y", Uniform::new(&a, &a + 1.0), obs = Tensor::scalar(0.4));
}

#[guide(strict)]
fn bold() {
    sample!("a", Bernoulli::new(Scalar::scalar(0.3)), enumerate);
}

#[test]
fn an_impossible_proposal_is_named() {
    let rng = |particle| Rng::stream(3, particle);
    let mut store = ParamStore::new(0);
    let mut runs = Programs { programs: (&strict, &bold), args: (), params: &mut store, rng: &rng, validate: true };
    let error = TraceEnumElbo::default().loss(&mut runs).unwrap_err().to_string();
    assert!(error.contains("`a` = 1") && error.contains("impossible"), "{error}");
}
