//! Stochastic memoisation: one value for a key and run, and a Dirichlet process made of it.

use std::collections::BTreeSet;

use ppl::address::SiteIndex;
use ppl::infer::{Executions, TraceMetropolis};
use ppl::prelude64::*;

type Scalar = Tensor<()>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Person {
    Ann,
    Bob,
}

impl SiteIndex for Person {
    fn to_index(self) -> usize {
        self as usize
    }
}

#[model]
fn eyes(asked: &[Person]) -> Vec<bool> {
    let brown = Memo::new();
    let mut answers = Vec::new();
    for &person in asked {
        let is_brown: Scalar = mem!(brown[person], sample!("brown_{person}", Bernoulli::new(0.7)));
        answers.push(is_brown.item() == 1.0);
    }
    answers
}

#[test]
fn a_key_has_one_value_in_a_run() {
    let asked = [Person::Ann, Person::Bob, Person::Ann];
    let all = Executions::of(eyes, &asked[..]).explore().unwrap();
    assert_eq!(all.executions(), 4);
    assert!((all.probability(&vec![true, false, true]) - 0.21).abs() < 1e-12);
    assert_eq!(all.probability(&vec![true, false, false]), 0.0);
    let typed: EyesTrace = trace(&eyes, (&asked[..],), 3).unwrap().1.typed().unwrap();
    assert_eq!(typed.brown.keys().copied().collect::<Vec<_>>(), [0, 1]);
}

/// Numbers that are each the sum of the two before, and a coin: a value that asks for other keys.
fn fibonacci(known: &Memo<usize, u64>, n: usize, evaluated: &mut usize) -> u64 {
    mem!(known[n], {
        *evaluated += 1;
        if n < 2 { n as u64 } else { fibonacci(known, n - 1, evaluated) + fibonacci(known, n - 2, evaluated) }
    })
}

#[test]
fn a_value_may_ask_for_others() {
    let mut evaluated = 0;
    assert_eq!((fibonacci(&Memo::new(), 50, &mut evaluated), evaluated), (12_586_269_025, 51));
}

/// The clusters of so many draws from a Dirichlet process: each walks along the sticks, which all draws share.
#[model]
fn clusters(concentration: f64, draws: usize) -> usize {
    let sticks = Memo::new();
    let mut met = BTreeSet::new();
    for i in 0..draws {
        let mut k = 0;
        loop {
            let stick: Scalar = mem!(sticks[k], sample!("stick_{k}", Beta::new(1.0, concentration)));
            let stays: Scalar = sample!("stays_{i}_{k}", Bernoulli::new(stick));
            if stays.item() == 1.0 {
                break;
            }
            k += 1;
        }
        met.insert(k);
    }
    met.len()
}

/// Mean and variance of the number of clusters. Reference: Antoniak (1974).
fn antoniak(concentration: f64, draws: usize) -> (f64, f64) {
    let of = |i: usize| concentration / (concentration + i as f64);
    ((0..draws).map(of).sum(), (0..draws).map(|i| of(i) * (1.0 - of(i))).sum())
}

#[test]
fn a_dirichlet_process_has_the_known_numbers_of_clusters() {
    let (runs, draws) = (3_000, 8);
    for concentration in [0.7, 2.0] {
        let (mean, variance) = antoniak(concentration, draws);
        let counts: Vec<f64> =
            (0..runs).map(|seed| trace(&clusters, (concentration, draws), seed).unwrap().0 as f64).collect();
        let n = runs as f64;
        let found = counts.iter().sum::<f64>() / n;
        let squares: Vec<f64> = counts.iter().map(|x| (x - mean).powi(2)).collect();
        let spread = squares.iter().sum::<f64>() / n;
        let error = (squares.iter().map(|x| (x - spread).powi(2)).sum::<f64>() / n / n).sqrt();
        // Five standard errors each: by chance in less than one of 100,000 runs.
        assert!((found - mean).abs() < 5.0 * (variance / n).sqrt(), "{found} for {mean}");
        assert!((spread - variance).abs() < 5.0 * error, "{spread} for {variance}");
    }
}

#[test]
fn a_chain_over_sticks_has_them_too() {
    let (mean, _) = antoniak(1.0, 4);
    let mut chain = TraceMetropolis::new(clusters, (1.0, 4), 3).unwrap();
    let batches: Vec<f64> = (0..30)
        .map(|_| {
            let counts = (0..400).map(|_| {
                chain.step().unwrap();
                *chain.output() as f64
            });
            counts.sum::<f64>() / 400.0
        })
        .collect();
    let found = batches.iter().sum::<f64>() / 30.0;
    let error = (batches.iter().map(|x| (x - found).powi(2)).sum::<f64>() / 29.0 / 30.0).sqrt();
    // With 29 degrees of freedom, 5.5 standard errors are exceeded by chance in one of 100,000 runs.
    assert!((found - mean).abs() < 5.5 * error, "{found} ± {error} for {mean}");
}
