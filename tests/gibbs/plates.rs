//! Elements of plates: those that are independent have exact frequencies, and those that only seem to be are found out.

use ppl::infer::gibbs::{DiscreteMetropolis, Enumerate, Rule};
use ppl::infer::{Draws, Gibbs, InitStrategy, McmcOptions};
use ppl::prelude64::*;
use statrs::distribution::{ChiSquared, ContinuousCDF};

use crate::estimates::close;

const PROBS: [[f64; 3]; 4] = [[0.2, 0.3, 0.5], [0.9, 0.1, 0.0], [1.0, 1.0, 1.0], [0.05, 0.05, 0.9]];
const SEEN: [f64; 4] = [0.3, 1.2, 2.0, 0.5];

/// Categories with data each; scaled, so that a scale that is left out or used twice shows.
#[model]
fn independent() {
    plate!("rows", 4, |_| {
        let z: Tensor<Rank1<4>, usize> = sample!("z", Categorical::new(Tensor::from(PROBS)));
        let loc = Tensor::<Rank1<3>>::from([0.0, 1.0, 2.0]).gather::<Rank1<4>>(&z.to_vec());
        sample!("y", Normal::new(loc, 1.0), obs = Tensor::from(SEEN), scale = 0.5);
    });
}

fn run<M: Model<(), E = f64, D = Cpu> + Clone + Send>(
    model: M,
    names: &[&str],
    rule: impl Into<Rule>,
    draws: usize,
) -> Draws {
    let options = McmcOptions { chains: 2, warmup: 20, draws, ..McmcOptions::default() };
    let gibbs = Gibbs::new(model, ()).unwrap().block(names.iter().copied(), rule);
    let mut mcmc = gibbs.chains(&options).unwrap();
    mcmc.run().unwrap();
    mcmc.into_draws()
}

#[test]
fn independent_elements_have_exact_frequencies() {
    let draws = run(independent, &["z"], Enumerate::default(), 3000);
    for element in 0..4 {
        let weight = |k: usize| PROBS[element][k] * (-0.25 * (SEEN[element] - k as f64).powi(2)).exp();
        let total: f64 = (0..3).map(weight).sum();
        let column: Vec<f64> = draws.columns(element).concat();
        let count = |k: usize| column.iter().filter(|z| **z == k as f64).count() as f64;
        let possible: Vec<usize> = (0..3).filter(|&k| weight(k) > 0.0).collect();
        let deviation = |&k: &usize| {
            let expected = 6000.0 * weight(k) / total;
            (count(k) - expected).powi(2) / expected
        };
        assert_eq!((0..3).filter(|k| !possible.contains(k)).map(count).sum::<f64>(), 0.0);
        // Draws are independent of one another, so that this is a chi-square test; four of them.
        let statistic: f64 = possible.iter().map(deviation).sum();
        let p_value = ChiSquared::new(possible.len() as f64 - 1.0).unwrap().sf(statistic);
        assert!(p_value > 1e-6, "element {element}: chi-square {statistic}, p = {p_value}");
    }
}

#[test]
fn independent_elements_by_proposals() {
    for rule in [DiscreteMetropolis::Prior, DiscreteMetropolis::Uniform] {
        let draws = run(independent, &["z"], rule, 4000);
        for element in 0..4 {
            let weight = |k: usize| PROBS[element][k] * (-0.25 * (SEEN[element] - k as f64).powi(2)).exp();
            let total: f64 = (0..3).map(weight).sum();
            close(&draws, "P(1)", weight(1) / total, |row| f64::from(u8::from(row[element] == 1.0)));
        }
    }
}

/// Coins whose coupling is the same wherever all are alike: only values that are mixed show it.
fn coupling(z: &[f64]) -> f64 {
    0.9 * z.windows(2).map(|pair| -(pair[0] - pair[1]).powi(2)).sum::<f64>()
}

#[model]
fn coupled() {
    let z: Tensor<Rank1<5>> =
        plate!("rows", 5, |_| sample!("z", Bernoulli::new(Tensor::from([0.3, 0.8, 0.5, 0.6, 0.2]))));
    factor!("coupling", Tensor::<()>::scalar(coupling(&z.to_vec())));
}

/// The same inside the plate, where the model says what is not so: the elements are not independent.
#[model]
fn coupled_within() {
    plate!("rows", 5, |_| {
        let z: Tensor<Rank1<5>> = sample!("z", Bernoulli::new(Tensor::from([0.3, 0.8, 0.5, 0.6, 0.2])));
        factor!("coupling", Tensor::<Rank1<5>>::full(coupling(&z.to_vec()) / 5.0));
    });
}

/// Not in a plate at all: one site with five elements.
#[model]
fn vector() {
    let z: Tensor<Rank1<5>> = sample!("z", Bernoulli::new(Tensor::from([0.3, 0.8, 0.5, 0.6, 0.2])));
    factor!("coupling", Tensor::<()>::scalar(coupling(&z.to_vec())));
}

fn check_coupled(draws: &Draws) {
    let probs = [0.3, 0.8, 0.5, 0.6, 0.2];
    let states = (0..32_u32).map(|state| [0, 1, 2, 3, 4].map(|i| f64::from(state >> i & 1)));
    let weight = |z: &[f64; 5]| {
        let coins: f64 = z.iter().zip(probs).map(|(z, p)| if *z == 1.0 { p } else { 1.0 - p }).product();
        coins * coupling(z).exp()
    };
    let total: f64 = states.clone().map(|z| weight(&z)).sum();
    let expected = |of: &dyn Fn(&[f64]) -> f64| states.clone().map(|z| weight(&z) * of(&z)).sum::<f64>() / total;
    for i in 0..5 {
        close(draws, &format!("P(z[{i}])"), expected(&|z| z[i]), |row| row[i]);
    }
    for i in 0..4 {
        close(draws, &format!("P(z[{i}] and the next)"), expected(&|z| z[i] * z[i + 1]), |row| row[i] * row[i + 1]);
    }
}

/// Neighbours differ, always: wherever all are alike nothing is possible.
#[model]
fn alternating() {
    plate!("rows", 4, |_| {
        let z: Tensor<Rank1<4>, usize> = sample!("z", Categorical::new(Tensor::from([[0.2, 0.3, 0.5]; 4])));
        let z = z.to_vec();
        let apart = |i: usize| if i == 0 || z[i] != z[i - 1] { 0.0 } else { f64::NEG_INFINITY };
        factor!("apart", Tensor::<Rank1<4>>::from([0, 1, 2, 3].map(apart)));
    });
}

#[test]
fn elements_that_exclude_one_another() {
    let mut values = ValueMap::new();
    values.put("z", Some(Tensor::<Rank1<4>, usize>::from([0, 1, 2, 0])));
    let options = McmcOptions {
        chains: 2,
        warmup: 20,
        draws: 4000,
        init: InitStrategy::Values(values),
        ..McmcOptions::default()
    };
    let gibbs = Gibbs::new(alternating, ()).unwrap().block(["z"], Enumerate::default());
    let mut mcmc = gibbs.chains(&options).unwrap();
    mcmc.run().unwrap();
    assert!(mcmc.samplers().all(|sampler| sampler.coupled() == ["z"]));
    let draws = mcmc.into_draws();
    let probs = [0.2, 0.3, 0.5];
    let states = (0..81_usize).map(|state| [1, 3, 9, 27].map(|place| state / place % 3));
    let states = states.filter(|z| z.windows(2).all(|pair| pair[0] != pair[1]));
    let weight = |z: &[usize; 4]| z.iter().map(|&k| probs[k]).product::<f64>();
    let total: f64 = states.clone().map(|z| weight(&z)).sum();
    for k in 0..3 {
        let expected: f64 = states.clone().filter(|z| z[1] == k).map(|z| weight(&z)).sum();
        close(&draws, &format!("P(z[1] = {k})"), expected / total, |row| f64::from(u8::from(row[1] == k as f64)));
    }
}

/// Counts without a bound, in a plate.
#[model]
fn counts() {
    plate!("rows", 3, |_| {
        let rates: Tensor<Rank1<3>> = Tensor::from([1.0, 3.0, 8.0]);
        let n: Tensor<Rank1<3>> = sample!("n", Poisson::new(rates), scale = 0.7);
        sample!("y", Normal::new(n, 1.5), obs = Tensor::from([2.5, 1.0, 10.0]));
    });
}

#[test]
fn counts_by_proposals_from_the_prior() {
    let draws = run(counts, &["n"], DiscreteMetropolis::Prior, 6000);
    for (i, (rate, y)) in [(1.0_f64, 2.5), (3.0, 1.0), (8.0, 10.0)].into_iter().enumerate() {
        let log_factorial = |n: u32| (1..=n).map(|k| f64::from(k).ln()).sum::<f64>();
        let weight = |n: u32| {
            (0.7 * (f64::from(n) * rate.ln() - log_factorial(n)) - 0.5 * ((y - f64::from(n)) / 1.5).powi(2)).exp()
        };
        let total: f64 = (0..80).map(weight).sum();
        let mean = (0..80).map(|n| f64::from(n) * weight(n)).sum::<f64>() / total;
        let square = (0..80).map(|n| f64::from(n * n) * weight(n)).sum::<f64>() / total;
        close(&draws, &format!("E n[{i}]"), mean, |row| row[i]);
        close(&draws, &format!("E n[{i}]²"), square, |row| row[i] * row[i]);
    }
}

#[test]
fn a_coupling_that_is_hidden_where_all_are_alike_is_found() {
    for rule in [Rule::from(Enumerate::default()), DiscreteMetropolis::Prior.into(), DiscreteMetropolis::Uniform.into()]
    {
        check_coupled(&run(coupled, &["z"], rule, 6000));
    }
    check_coupled(&run(coupled_within, &["z"], Enumerate::default(), 4000));
    check_coupled(&run(vector, &["z"], Enumerate::default(), 4000));
    check_coupled(&run(vector, &["z"], DiscreteMetropolis::Uniform, 12_000));
}

/// Two sites in one plate, drawn jointly, and a third in a plate within.
#[model]
fn nested() {
    plate!("outer", 2, |_| {
        let a: Tensor<Rank1<2>> = sample!("a", Bernoulli::new(Tensor::from([0.3, 0.6])));
        let b: Tensor<Rank1<2>> = sample!("b", Bernoulli::new(&a * 0.5 + 0.2));
        let both: Tensor<Rank2<2, 3>> = (&a + &b).broadcast::<Rank2<2, 3>, Axis<1>>();
        plate!("inner", 3, |_| {
            let c: Tensor<Rank2<2, 3>> = sample!("c", Bernoulli::new(&both * 0.3 + 0.2));
            let seen = Tensor::from([[0.2, 0.9, 1.4], [-0.3, 0.1, 0.8]]);
            sample!("y", Normal::new(c, 0.7), obs = seen);
        });
    });
}

#[test]
fn plates_within_plates() {
    let seen = [[0.2, 0.9, 1.4], [-0.3, 0.1, 0.8]];
    let coin = |z: f64, p: f64| if z == 1.0 { p } else { 1.0 - p };
    let gibbs =
        Gibbs::new(nested, ()).unwrap().block(["a", "b"], Enumerate::default()).block(["c"], Enumerate::default());
    let options = McmcOptions { chains: 2, warmup: 20, draws: 6000, ..McmcOptions::default() };
    let mut mcmc = gibbs.chains(&options).unwrap();
    mcmc.run().unwrap();
    let draws = mcmc.into_draws();
    for row in 0..2 {
        let weight = |a: f64, b: f64| {
            let likelihood = |y: f64| -> f64 {
                let p = 0.2 + 0.3 * (a + b);
                [0.0, 1.0].iter().map(|&c| coin(c, p) * crate::estimates::normal(y, c, 0.7)).sum()
            };
            let prior = coin(a, [0.3, 0.6][row]) * coin(b, 0.5 * a + 0.2);
            prior * seen[row].iter().map(|&y| likelihood(y)).product::<f64>()
        };
        let total = weight(0.0, 0.0) + weight(0.0, 1.0) + weight(1.0, 0.0) + weight(1.0, 1.0);
        close(&draws, "P(a)", (weight(1.0, 0.0) + weight(1.0, 1.0)) / total, |values| values[row]);
        close(&draws, "P(a and b)", weight(1.0, 1.0) / total, |values| values[row] * values[2 + row]);
    }
}
