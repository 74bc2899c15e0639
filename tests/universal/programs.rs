//! Random small programs: every engine against sums over their trees that know nothing of sites and handlers.

use std::collections::BTreeMap;

use ppl::handler::Handler;
use ppl::handlers::Prior;
use ppl::infer::enumeration::{Enumerated, Side};
use ppl::infer::{Executions, Importance, TraceMetropolis};
use ppl::prelude64::*;
use ppl::rng::Rng;
use rand::Rng as _;

type Scalar = Tensor<()>;

/// A program: a choice whose probabilities depend on what was chosen before, and a program for each value.
#[derive(Clone, Debug)]
enum Tree {
    /// The end: a log-weight, and a part of the result.
    End(f64, usize),
    /// A coin and what follows its faces.
    Coin(usize, f64, Vec<Tree>),
    /// One of three, and what follows each.
    Three(usize, [f64; 3], Vec<Tree>),
}

/// The probability of heads after what was chosen.
fn heads(bias: f64, state: usize) -> f64 {
    1.0 / (1.0 + (-bias - 0.7 * state as f64).exp())
}

fn three(weights: [f64; 3], state: usize) -> [f64; 3] {
    let [a, b, c] = weights;
    [a, b * (1.0 + state as f64), c]
}

/// The names of sites are those of their depth where `shared` (the same in programs that exclude each other, though with other
/// supports), else those of their number.
#[model]
fn interpreter(program: &Tree, state: usize, depth: usize, shared: bool) -> usize {
    match program {
        Tree::End(weight, result) => {
            factor!("end", Scalar::scalar(*weight + 0.1 * state as f64));
            (result + state) % 4
        }
        Tree::Coin(number, bias, next) => {
            let name = if shared { depth } else { *number };
            let coin = sample!("x_{name}", Bernoulli::<(), f64, Cpu>::new(heads(*bias, state)), enumerate);
            let face = coin.item() as usize;
            submodel!("next_{name}", interpreter(&next[face], state + face, depth + 1, shared))
        }
        Tree::Three(number, weights, next) => {
            let name = if shared { depth } else { *number };
            let one =
                sample!("x_{name}", Categorical::new(Tensor::from(three(*weights, state))), enumerate).to_vec()[0];
            submodel!("next_{name}", interpreter(&next[one], state + one, depth + 1, shared))
        }
    }
}

/// Adds the weight of each result below a program.
fn by_hand(program: &Tree, state: usize, weight: f64, results: &mut BTreeMap<usize, f64>) {
    match program {
        Tree::End(log_weight, result) => {
            *results.entry((result + state) % 4).or_default() += weight * (log_weight + 0.1 * state as f64).exp();
        }
        Tree::Coin(_, bias, next) => {
            let p = heads(*bias, state);
            by_hand(&next[0], state, weight * (1.0 - p), results);
            by_hand(&next[1], state + 1, weight * p, results);
        }
        Tree::Three(_, weights, next) => {
            let weights = three(*weights, state);
            let total: f64 = weights.iter().sum();
            for (value, next) in next.iter().enumerate() {
                by_hand(next, state + value, weight * weights[value] / total, results);
            }
        }
    }
}

fn random(rng: &mut Rng, depth: usize, count: &mut usize) -> Tree {
    let kind = if depth == 0 { 0 } else { rng.gen_range(0..5) };
    let number = *count;
    *count += 1;
    let mut next = |rng: &mut Rng, values: usize| (0..values).map(|_| random(rng, depth - 1, count)).collect();
    match kind {
        0 => Tree::End(rng.gen_range(-1.0..1.0), rng.gen_range(0..4)),
        1 | 2 => Tree::Coin(number, rng.gen_range(-1.0..1.0), next(rng, 2)),
        _ => Tree::Three(
            number,
            [rng.gen_range(0.1..1.0), rng.gen_range(0.1..1.0), rng.gen_range(0.1..1.0)],
            next(rng, 3),
        ),
    }
}

fn programs(count: u64) -> impl Iterator<Item = (Tree, BTreeMap<usize, f64>)> {
    (0..count).map(|seed| {
        let program = random(&mut Rng::stream(7, seed), 3, &mut 0);
        let mut results = BTreeMap::new();
        by_hand(&program, 0, 1.0, &mut results);
        (program, results)
    })
}

#[test]
fn all_executions_are_those_of_the_tree() {
    for (program, results) in programs(60) {
        let evidence: f64 = results.values().sum();
        for shared in [true, false] {
            let executions = Executions::of(interpreter, (&program, 0, 0, shared));
            for executions in [executions.clone(), executions.depth_first()] {
                let found = executions.explore().unwrap();
                assert!((found.log_evidence() - evidence.ln()).abs() < 1e-10, "{program:?}");
                assert_eq!(found.iter().count(), results.len());
                for (result, weight) in &results {
                    assert!((found.probability(result) - weight / evidence).abs() < 1e-10, "{program:?}");
                }
                assert_eq!(found.unexplored(), 0.0);
            }
        }
    }
}

#[test]
fn variable_elimination_has_the_same_evidence() {
    for (program, results) in programs(25) {
        let enumerated = Enumerated::of(&mut |_, wrap| {
            let mut prior = Prior::new(Rng::seed(0));
            wrap(Side::Model, &mut prior, &mut |inner: &mut dyn Handler<f64, Cpu>| {
                interpreter.run(inner, (&program, 0, 0, false));
            });
            Handler::<f64, Cpu>::context(&mut prior).finish(())
        });
        let found = enumerated.and_then(|enumerated| enumerated.log_evidence()).unwrap();
        let expected = results.values().sum::<f64>().ln();
        assert!((found - expected).abs() < 1e-10, "{found} for {expected}: {program:?}");
    }
}

#[test]
fn chains_have_the_posteriors_of_random_programs() {
    // 10 programs of at most 4 results, each mean with 29 degrees of freedom: 6 standard errors are exceeded by chance in one of
    // ten thousand runs.
    for (seed, (program, results)) in programs(10).enumerate() {
        let evidence: f64 = results.values().sum();
        let mut chain = TraceMetropolis::new(interpreter, (&program, 0, 0, true), seed as u64).unwrap();
        let mut batches = vec![[0.0; 4]; 30];
        for batch in &mut batches {
            for _ in 0..500 {
                chain.step().unwrap();
                batch[*chain.output()] += 1.0 / 500.0;
            }
        }
        for (result, weight) in &results {
            let mean = batches.iter().map(|batch| batch[*result]).sum::<f64>() / 30.0;
            let variance = batches.iter().map(|batch| (batch[*result] - mean).powi(2)).sum::<f64>() / 29.0;
            let error = (variance / 30.0).sqrt().max(1e-3);
            assert!((mean - weight / evidence).abs() < 6.0 * error, "{result}: {mean} ± {error}: {program:?}");
        }
    }
}

#[test]
fn weighted_draws_have_the_posteriors_of_random_programs() {
    // As above; of a mean of 20,000 weighted draws 6 standard errors are exceeded by chance in one of 10⁸.
    for (seed, (program, results)) in programs(10).enumerate() {
        let evidence: f64 = results.values().sum();
        let importance = Importance::prior(interpreter, (&program, 0, 0, true)).draws(20_000).seed(seed as u64);
        let found = importance.map(|output, _| output).unwrap();
        let estimate = found.log_evidence();
        let error = (estimate.mean - evidence.ln()).abs();
        assert!(error < 6.0 * estimate.standard_error + 1e-9, "{estimate:?} for {}: {program:?}", evidence.ln());
        for (result, weight) in &results {
            let share = found.expectation(|output| f64::from(u8::from(output == result)));
            let error = (share.mean - weight / evidence).abs();
            assert!(error < 6.0 * share.standard_error.max(2e-4), "{result}: {share:?}: {program:?}");
        }
    }
}
