//! A hidden Markov model by Gibbs sampling with two kernels, what Turing's users compose: states by enumeration, a common shift by the
//! no-U-turn sampler. The model is generic over ordinary Rust structs. `cargo run --release --example hidden_markov`
//!
//! Known: the states' probabilities and the shift's moments, by the forward–backward algorithm at each point of a grid. The last
//! line on stdout is one JSON object.

#[path = "sampling/mod.rs"]
mod sampling;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use ppl::infer::Gibbs;
use ppl::infer::gibbs::Enumerate;
use ppl::infer::mcmc::NutsOptions;
use ppl::prelude64::*;
use sampling::Sampling;
use serde_json::{Value, json};

type Scalar = Tensor<()>;

/// A machine with K states, of which one sees a level with noise.
trait Machine<const K: usize>: Copy + Send + Sync + 'static {
    /// The probabilities of the next state, after this one, or at first.
    fn next(&self, after: Option<usize>) -> [f64; K];
    /// What a state shows, without noise.
    fn level(&self, state: usize) -> f64;
}

/// A machine that mostly stays where it is.
#[derive(Clone, Copy, Debug)]
struct Sticky<const K: usize> {
    stays: f64,
    levels: [f64; K],
}

impl<const K: usize> Machine<K> for Sticky<K> {
    fn next(&self, after: Option<usize>) -> [f64; K] {
        let others = (1.0 - self.stays) / (K - 1) as f64;
        std::array::from_fn(|state| match after {
            Some(last) if last == state => self.stays,
            Some(_) => others,
            None => 1.0 / K as f64,
        })
    }

    fn level(&self, state: usize) -> f64 {
        self.levels[state]
    }
}

const NOISE: f64 = 0.7;

#[model]
fn hidden_markov<const K: usize, M: Machine<K>>(machine: M, y: &[f64]) {
    let shift: Scalar = sample!("shift", Normal::new(0.0, 0.5));
    let mut last = None;
    for (t, y) in y.iter().enumerate() {
        let probs: Tensor<(Const<K>,)> = Tensor::from(machine.next(last));
        let state: Tensor<(), usize> = sample!("state_{t}", Categorical::new(probs));
        let state = state.to_vec()[0];
        sample!("y_{t}", Normal::new(&shift + machine.level(state), NOISE), obs = Scalar::scalar(*y));
        last = Some(state);
    }
}

/// A hidden Markov model by Gibbs sampling.
#[derive(Clone, Debug, Parser)]
struct Options {
    #[command(flatten)]
    sampling: Sampling,
}

const DATA: [f64; 14] = [-1.7, -0.9, -2.1, -0.3, 1.9, 0.9, 1.5, 4.8, 2.6, 4.3, 1.2, 1.7, -1.3, -1.9];

/// The likelihood at a shift, and the probability of each state at each step.
fn forward_backward<const K: usize>(machine: &impl Machine<K>, shift: f64) -> (f64, Vec<[f64; K]>) {
    let seen = |t: usize, state: usize| {
        let z = (DATA[t] - shift - machine.level(state)) / NOISE;
        (-0.5 * z * z).exp() / (NOISE * std::f64::consts::TAU.sqrt())
    };
    let n = DATA.len();
    let (mut forward, mut backward) = (vec![[0.0; K]; n], vec![[1.0; K]; n]);
    for t in 0..n {
        forward[t] = std::array::from_fn(|state| {
            let before = match t {
                0 => machine.next(None)[state],
                _ => (0..K).map(|last| forward[t - 1][last] * machine.next(Some(last))[state]).sum(),
            };
            before * seen(t, state)
        });
    }
    for t in (0..n - 1).rev() {
        backward[t] = std::array::from_fn(|state| {
            (0..K).map(|next| machine.next(Some(state))[next] * seen(t + 1, next) * backward[t + 1][next]).sum()
        });
    }
    let total: f64 = forward[n - 1].iter().sum();
    let at = |t: usize| std::array::from_fn(|state| forward[t][state] * backward[t][state] / total);
    (total, (0..n).map(at).collect())
}

fn run(options: &Options) -> Result<Value, Box<dyn Error>> {
    let machine = Sticky { stays: 0.8, levels: [-2.0, 1.0, 4.0] };
    let gibbs = Gibbs::new(hidden_markov::<3>, (machine, &DATA[..]))?
        .block(["state_{}"], Enumerate::default())
        .block(["shift"], NutsOptions::default());
    let mut chains = gibbs.chains(&options.sampling.options())?;
    chains.run()?;
    let draws = chains.into_draws();
    let figures = options.sampling.report(&draws, &["shift"])?;

    let (mut sum, mut moments, mut states) = (0.0, [0.0; 2], vec![[0.0; 3]; DATA.len()]);
    for shift in (-800..=800).map(|i| f64::from(i) * 5e-3) {
        let (likelihood, probabilities) = forward_backward(&machine, shift);
        let weight = likelihood * (-2.0 * shift * shift).exp();
        sum += weight;
        moments[0] += weight * shift;
        moments[1] += weight * shift * shift;
        for (sums, p) in states.iter_mut().zip(probabilities) {
            (0..3).for_each(|k| sums[k] += weight * p[k]);
        }
    }
    let mean = moments[0] / sum;
    let sd = (moments[1] / sum - mean * mean).sqrt();
    let found = sampling::check_mean(&draws, "shift", [mean, sd])?;
    let mut largest: f64 = 0.0;
    for (t, known) in states.iter().enumerate() {
        let expected = known[1] / sum + 2.0 * known[2] / sum;
        let deviation = (known[1] / sum + 4.0 * known[2] / sum - expected * expected).sqrt();
        let state = sampling::check_mean(&draws, &format!("state_{t}"), [expected, deviation])?;
        largest = largest.max((state - expected).abs());
    }
    Ok(json!({
        "example": "hidden_markov", "shift": found, "exact_shift": mean, "largest_error_of_states": largest,
        "r_hat_max": figures.r_hat_max, "ess_bulk_min": figures.ess_bulk_min, "seed": figures.seed,
    }))
}

fn main() -> ExitCode {
    sampling::end("hidden_markov", run(&Options::parse()))
}
