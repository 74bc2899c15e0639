//! Markov chains: histories of one and two steps, within plates, and long ones against the forward algorithm.

use ppl::prelude64::*;

use crate::brute_force::{agrees, enumerated, site};

type Scalar = Tensor<()>;
type Three = Tensor<Rank1<3>>;

const STEP: [[f64; 3]; 3] = [[0.7, 0.2, 0.1], [0.15, 0.6, 0.25], [0.05, 0.3, 0.65]];
const LEVELS: [f64; 3] = [-1.0, 0.4, 2.0];

fn data(n: usize) -> Vec<f64> {
    (0..n).map(|t| 1.4 * (1.7 * t as f64).sin()).collect()
}

fn state(value: &Tensor<(), usize>) -> usize {
    value.to_vec()[0]
}

/// A hidden Markov model whose levels a parameter stretches.
#[model]
fn hidden(y: &[f64]) {
    let stretch: Scalar = param!("stretch", Tensor::scalar(1.2));
    let mut probs = Three::from([0.5, 0.3, 0.2]);
    for t in markov!(0..y.len()) {
        let x: Tensor<(), usize> = sample!("x_{t}", Categorical::new(probs), enumerate);
        probs = Three::from(STEP[state(&x)]);
        sample!("y_{t}", Normal::new(&stretch * LEVELS[state(&x)], 0.9), obs = Tensor::scalar(y[t]));
    }
}

#[test]
fn a_chain_of_one_step_of_history() {
    for n in [2, 3, 6] {
        let sites: Vec<_> = (0..n).map(|t| site(format!("x_{t}"), 1, 3)).collect();
        let runs = agrees(hidden, (&data(n)[..],), &sites);
        assert_eq!(runs, 9, "runs of a chain of {n} steps");
    }
}

#[test]
fn a_long_chain_is_the_forward_algorithm() {
    let n = 50;
    let y = data(n);
    let mut store = ParamStore::new(0);
    let all = enumerated(&hidden, &(&y[..],), &mut store).unwrap();
    assert_eq!(all.runs(), 9);
    // Rabiner's forward algorithm, with scaling.
    let density = |y: f64, k: usize| {
        let z = (y - 1.2 * LEVELS[k]) / 0.9;
        (-0.5 * z * z).exp() / (0.9 * std::f64::consts::TAU.sqrt())
    };
    let (mut state, mut expected) = ([0.5, 0.3, 0.2], 0.0);
    for &y in &y {
        let seen: [f64; 3] = std::array::from_fn(|k| state[k] * density(y, k));
        let sum: f64 = seen.iter().sum();
        expected += sum.ln();
        state = std::array::from_fn(|k| (0..3).map(|j| seen[j] / sum * STEP[j][k]).sum());
    }
    let found = all.log_evidence().unwrap();
    assert!((found - expected).abs() < 1e-10 * f64::abs(expected), "{found} for {expected}");
}

/// Each step depends on the two before it.
#[model]
fn second_order(y: &[f64]) {
    let stretch: Scalar = param!("stretch", Tensor::scalar(0.8));
    let (mut last, mut before) = (0.0, 0.0);
    for t in markov!(0..y.len(), history = 2) {
        let logits = &stretch * (last - 0.3) + 0.6 * before - 0.2;
        let x: Scalar = sample!("x_{t}", Bernoulli::from_logits(logits), enumerate);
        (before, last) = (last, x.item());
        sample!("y_{t}", Normal::new(&stretch * last + 0.5 * before, 0.9), obs = Tensor::scalar(y[t]));
    }
    sample!("end", Normal::new(Tensor::scalar(last - before), 1.0), obs = Tensor::scalar(0.4));
}

#[test]
fn a_chain_of_two_steps_of_history() {
    for n in [2, 3, 7] {
        let sites: Vec<_> = (0..n).map(|t| site(format!("x_{t}"), 1, 2)).collect();
        assert_eq!(agrees(second_order, (&data(n)[..],), &sites), 1 << n.min(3));
    }
}

/// Three sequences side by side, each a chain, with a rate that all share.
#[model]
fn side_by_side(steps: usize) {
    let stretch: Scalar = param!("stretch", Tensor::scalar(0.8));
    let rate: Scalar = sample!("rate", Bernoulli::from_logits(&stretch - 0.5), enumerate);
    plate!("sequences", 3, |_| {
        let mut x = Three::zeros();
        for t in markov!(0..steps) {
            let logits = x * 1.5 - 0.4 + (&rate * 0.7).expand(Rank1::<3>::default());
            x = sample!("x_{t}": Three, Bernoulli::from_logits(logits), enumerate);
            let mean = &x * stretch.expand::<Rank1<3>>(Rank1::<3>::default());
            sample!("y_{t}", Normal::new(mean, 0.7), obs = Three::from([0.2, 0.9, -0.4]) * (1.0 + t as f64 * 0.3));
        }
    });
}

#[test]
fn chains_within_a_plate() {
    let mut sites = vec![site("rate", 1, 2)];
    sites.extend((0..4).map(|t| site(format!("x_{t}"), 3, 2)));
    assert_eq!(agrees(side_by_side, (4,), &sites), 8);
}

/// The same chain with no word of its history: every step may depend on all before it.
#[model]
fn undeclared(y: &[f64]) {
    let mut probs = Three::from([0.5, 0.3, 0.2]);
    for (t, y) in y.iter().enumerate() {
        let x: Tensor<(), usize> = sample!("x_{t}", Categorical::new(probs), enumerate);
        probs = Three::from(STEP[state(&x)]);
        sample!("y_{t}", Normal::new(Scalar::scalar(LEVELS[state(&x)]), 0.9), obs = Tensor::scalar(*y));
    }
}

#[test]
fn without_a_declaration_every_combination_is_run() {
    let sites: Vec<_> = (0..4).map(|t| site(format!("x_{t}"), 1, 3)).collect();
    assert_eq!(agrees(undeclared, (&data(4)[..],), &sites), 81);
    let mut store = ParamStore::new(0);
    let error = enumerated(&undeclared, &(&data(50)[..],), &mut store).unwrap_err().to_string();
    assert!(error.contains("too many combinations") && error.contains("markov!"), "{error}");
}
