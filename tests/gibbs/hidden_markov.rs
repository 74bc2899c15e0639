//! A hidden Markov chain of categories, one site a step: its marginals are forward-backward's.

use ppl::infer::gibbs::{DiscreteMetropolis, Enumerate, Rule};
use ppl::infer::{Gibbs, McmcOptions};
use ppl::prelude64::*;

use crate::estimates::{close, normal};

const START: [f64; 3] = [0.5, 0.3, 0.2];
const STEP: [[f64; 3]; 3] = [[0.7, 0.2, 0.1], [0.15, 0.6, 0.25], [0.0, 0.35, 0.65]];
const LEVELS: [f64; 3] = [-1.0, 0.4, 2.0];
const DATA: [f64; 7] = [-0.8, 0.1, 0.9, 0.3, 1.6, 2.4, -0.2];

#[model]
fn chain() {
    let mut probs = Tensor::from(START);
    for (t, y) in DATA.iter().enumerate() {
        let z: Tensor<(), usize> = sample!("z_{t}", Categorical::new(probs));
        let k = z.to_vec()[0];
        probs = Tensor::from(STEP[k]);
        sample!("y_{t}", Normal::new(Tensor::<()>::scalar(LEVELS[k]), 1.0), obs = Tensor::scalar(*y));
    }
}

/// The probabilities of each state at each step, and of each pair of states that follow one another.
fn forward_backward() -> (Vec<[f64; 3]>, Vec<[[f64; 3]; 3]>) {
    let seen = |t: usize, k: usize| normal(DATA[t], LEVELS[k], 1.0);
    let (steps, states) = (DATA.len(), 0..3);
    let mut forward = vec![[0.0; 3]; steps];
    let mut backward = vec![[1.0; 3]; steps];
    for k in states.clone() {
        forward[0][k] = START[k] * seen(0, k);
    }
    for t in 1..steps {
        for k in states.clone() {
            forward[t][k] = seen(t, k) * states.clone().map(|j| forward[t - 1][j] * STEP[j][k]).sum::<f64>();
        }
    }
    for t in (0..steps - 1).rev() {
        for j in states.clone() {
            backward[t][j] = states.clone().map(|k| STEP[j][k] * seen(t + 1, k) * backward[t + 1][k]).sum::<f64>();
        }
    }
    let total: f64 = forward[steps - 1].iter().sum();
    let one = |t: usize| [0, 1, 2].map(|k| forward[t][k] * backward[t][k] / total);
    let two = |t: usize| {
        [0, 1, 2].map(|j| [0, 1, 2].map(|k| forward[t][j] * STEP[j][k] * seen(t + 1, k) * backward[t + 1][k] / total))
    };
    ((0..steps).map(one).collect(), (0..steps - 1).map(two).collect())
}

fn check(rule: impl Into<Rule>, draws: usize) {
    let options = McmcOptions { chains: 2, warmup: 20, draws, ..McmcOptions::default() };
    let mut mcmc = Gibbs::new(chain, ()).unwrap().block(["z_{}"], rule).chains(&options).unwrap();
    mcmc.run().unwrap();
    let draws = mcmc.into_draws();
    let (one, two) = forward_backward();
    for (t, expected) in one.iter().enumerate() {
        close(&draws, &format!("P(z_{t} = 2)"), expected[2], |row| f64::from(u8::from(row[t] == 2.0)));
        close(&draws, &format!("P(z_{t} = 1)"), expected[1], |row| f64::from(u8::from(row[t] == 1.0)));
    }
    for (t, expected) in two.iter().enumerate() {
        close(&draws, &format!("P(z_{t} = z_{t}+1 = 1)"), expected[1][1], |row| {
            f64::from(u8::from(row[t] == 1.0 && row[t + 1] == 1.0))
        });
    }
}

#[test]
fn enumeration_one_step_after_another() {
    check(Enumerate::default(), 1500);
}

#[test]
fn proposals_from_the_prior() {
    check(DiscreteMetropolis::Prior, 2000);
}

#[test]
fn proposals_among_the_other_states() {
    check(DiscreteMetropolis::Uniform, 2000);
}

#[test]
fn all_steps_jointly_are_independent_draws() {
    // 3⁷ combinations each step: few steps, each of them exact. Six standard deviations of a binomial count: below 1e-7 each.
    let options = McmcOptions { chains: 1, warmup: 0, draws: 20, ..McmcOptions::default() };
    let gibbs = Gibbs::new(chain, ()).unwrap().block(["z_{}"], Enumerate { most_combinations: 3000 });
    let mut mcmc = gibbs.chains(&options).unwrap();
    mcmc.run().unwrap();
    let draws = mcmc.into_draws();
    let (one, _) = forward_backward();
    for (t, expected) in one.iter().enumerate() {
        let count = draws.columns(t)[0].iter().filter(|z| **z == 1.0).count() as f64;
        let sd = (20.0 * expected[1] * (1.0 - expected[1])).sqrt();
        assert!((count - 20.0 * expected[1]).abs() < 6.0 * sd, "z_{t}: {count} of 20, expected {}", expected[1]);
    }
}
