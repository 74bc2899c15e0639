//! Programs of Church: a recursive geometric distribution, a probabilistic context-free grammar, and a Dirichlet process by breaking
//! a stick with memoisation. `cargo run --release --example church`
//!
//! Known: the probabilities of the first two in closed form, and the moments of the third's number of clusters. Reference: Goodman,
//! Mansinghka, Roy, Bonawitz, Tenenbaum, *Church: a language for generative models* (2008). The last line on stdout is one JSON
//! object.

use std::collections::BTreeSet;
use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use ppl::infer::{Executions, TraceMetropolis};
use ppl::prelude64::*;
use serde_json::{Value, json};

type Scalar = Tensor<()>;

/// Failures before the first success: the program calls itself.
#[model]
fn geometric(p: f64) -> usize {
    let success: Scalar = sample!("success", Bernoulli::new(p));
    if success.item() == 1.0 { 0 } else { 1 + submodel!("rest", geometric(p)) }
}

/// A sentence of the grammar S → "a" S "b" (with this probability) | "c".
#[model]
fn sentence(again: f64) -> String {
    let rule: Scalar = sample!("rule", Bernoulli::new(again));
    if rule.item() == 0.0 {
        return "c".to_owned();
    }
    let inner = submodel!("inner", sentence(again));
    format!("a{inner}b")
}

/// A sentence of which only the length is seen, but for noise.
#[model]
fn heard(again: f64, length: f64) -> String {
    let said = submodel!("said", sentence(again));
    sample!("length", Normal::new(said.len() as f64, 1.0), obs = Scalar::scalar(length));
    said
}

/// In how many clusters draws from a Dirichlet process fall: each walks along the sticks, which all share.
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

/// Three programs of Church, against what is known of them.
#[derive(Clone, Debug, Parser)]
struct Options {
    /// Batches of draws of the Dirichlet process
    #[arg(long, default_value_t = 40)]
    batches: usize,

    /// Steps of the chain in each batch
    #[arg(long, default_value_t = 2000)]
    steps: usize,

    /// Seed of all randomness
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// Fails unless a number is the known one.
fn check(what: &str, found: f64, known: f64, tolerance: f64) -> Result<f64, String> {
    match (found - known).abs() <= tolerance {
        true => Ok(found),
        false => Err(format!("{what} is {found}, but is known to be {known}")),
    }
}

fn run(options: &Options) -> Result<Value, Box<dyn Error>> {
    let failures = Executions::of(geometric, (0.3,)).explore()?;
    for k in 0..30 {
        check("the probability of some failures", failures.probability(&k), 0.3 * 0.7_f64.powi(k as i32), 1e-10)?;
    }
    eprintln!("geometric: {} executions, {:.1e} of the prior unexplored", failures.executions(), failures.unexplored());

    // n pairs around "c" have length 2 n + 1.
    let known = |n: i32| 0.6 * 0.4_f64.powi(n) * (-0.5 * f64::from(2 * n + 1 - 4).powi(2)).exp();
    let total: f64 = (0..60).map(known).sum();
    let sentences = Executions::of(heard, (0.4, 4.0)).explore()?;
    for n in 0..6 {
        let said = format!("{}c{}", "a".repeat(n), "b".repeat(n));
        check("the probability of a sentence", sentences.probability(&said), known(n as i32) / total, 1e-10)?;
    }
    let aacbb = sentences.probability(&"aacbb".to_owned());
    let most = sentences.most_probable().ok_or("there is no sentence")?;
    eprintln!("grammar: {most} is the most probable of {} sentences", sentences.executions());

    let (concentration, draws) = (1.5, 6);
    let of = |i: usize| concentration / (concentration + i as f64);
    let known = (0..draws).map(of).sum();
    let mut chain = TraceMetropolis::new(clusters, (concentration, draws), options.seed)?;
    let mut batches = Vec::with_capacity(options.batches);
    for _ in 0..options.batches {
        let mut sum = 0.0;
        for _ in 0..options.steps {
            chain.step()?;
            sum += *chain.output() as f64;
        }
        batches.push(sum / options.steps as f64);
    }
    let n = batches.len() as f64;
    let mean = batches.iter().sum::<f64>() / n;
    let error = (batches.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0) / n).sqrt();
    // Six standard errors: by chance in one of a million runs of 40 batches.
    check("the mean number of clusters", mean, known, 6.0 * error)?;
    eprintln!("Dirichlet process: {mean:.3} ± {error:.3} clusters, known to be {known:.3}");
    Ok(json!({
        "example": "church", "p_three_failures": failures.probability(&3), "unexplored": failures.unexplored(),
        "p_aacbb": aacbb, "clusters": mean, "clusters_known": known, "clusters_error": error,
        "acceptance": chain.acceptance_rate(), "seed": options.seed,
    }))
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(summary) => {
            println!("{summary}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("church: {error}");
            ExitCode::FAILURE
        }
    }
}
