//! One deep model under two objectives, as in Edward: a variational autoencoder of digits by the evidence lower bound, and by the
//! importance-weighted bound; one line differs. `cargo run --release --example two_objectives`
//!
//! Known: of one model and guide, the importance-weighted bound is never below the other (Burda, Grosse and Salakhutdinov, ICLR
//! 2016). The last line on stdout is one JSON object.

#[path = "vae/dataset.rs"]
pub mod dataset;
#[path = "vae/digits.rs"]
pub mod digits;
#[path = "vae/idx.rs"]
pub mod idx;
#[path = "vae/idx_error.rs"]
pub mod idx_error;
#[path = "vae/network.rs"]
pub mod network;
#[path = "sampling/mod.rs"]
mod sampling;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use dataset::Dataset;
use digits::Digits;
use network::{Images, Sizes, vae, vae_guide};
use ppl::infer::{Adam, Objective, RenyiElbo, Svi, TraceElbo};
use ppl::prelude::*;
use serde_json::{Value, json};

/// One deep model under two objectives.
#[derive(Clone, Debug, Parser)]
struct Options {
    /// Steps of each fit
    #[arg(long, default_value_t = 500)]
    steps: usize,

    /// Runs in the importance-weighted bound
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(2..))]
    particles: u64,

    /// Seed of initial weights and draws
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

const BATCH: usize = 100;
const SIZES: Sizes = Sizes { hidden: 200, layers: 1, latent: 10 };

fn batch(digits: &Digits, from: usize) -> Images {
    let pixels = (0..BATCH).flat_map(|i| digits.image((from + i) % digits.len())).copied().collect();
    Tensor::from_vec(pixels, (BATCH, Const))
}

/// Fits the model by an objective, and returns both bounds of held-out images, in nats an image.
fn fit<L: Objective<f32, Cpu>>(
    objective: L,
    options: &Options,
    splits: &dataset::Splits,
) -> Result<[f64; 2], Box<dyn Error>> {
    let mut svi = Svi::new(vae, vae_guide, Adam::new(1e-3), objective).seed(options.seed);
    for step in 0..options.steps {
        svi.step((&batch(&splits.train, step * BATCH), SIZES))?;
    }
    // The same parameters under either bound.
    let (params, images) = (svi.into_params(), batch(&splits.test, 0));
    let elbo = bound(TraceElbo::default(), &params, &images)?;
    Ok([elbo, bound(RenyiElbo::importance_weighted(options.particles), &params, &images)?])
}

/// The mean of 20 evaluations.
fn bound<L: Objective<f32, Cpu>>(
    objective: L,
    params: &ParamStore<f32, Cpu>,
    images: &Images,
) -> Result<f64, Box<dyn Error>> {
    let mut svi = Svi::new(vae, vae_guide, Adam::new(1e-3), objective).with_params(params.clone());
    Ok(-svi.estimate((images, SIZES), 20)?.mean / BATCH as f64)
}

fn run(options: &Options) -> Result<Value, Box<dyn Error>> {
    let splits = Dataset::Subset.load(None)?;
    // The one line that differs.
    let by_elbo = fit(TraceElbo::default(), options, &splits)?;
    let by_weights = fit(RenyiElbo::importance_weighted(options.particles), options, &splits)?;
    println!("{:<28} {:>10} {:>22}", "fitted by", "ELBO", "importance-weighted");
    for (name, [elbo, weighted]) in [("TraceElbo", by_elbo), ("RenyiElbo, weighted", by_weights)] {
        println!("{name:<28} {elbo:>10.2} {weighted:>22.2}");
        if weighted <= elbo {
            return Err(format!("the importance-weighted bound {weighted:.3} is not above the ELBO {elbo:.3}").into());
        }
    }
    Ok(json!({
        "example": "two_objectives", "trace_elbo": { "elbo": by_elbo[0], "importance_weighted": by_elbo[1] },
        "renyi_elbo": { "elbo": by_weights[0], "importance_weighted": by_weights[1] }, "steps": options.steps,
        "seed": options.seed,
    }))
}

fn main() -> ExitCode {
    ppl::memory::keep_freed_buffers();
    let options = Options::parse();
    let result = rayon::scope(|_| run(&options).map_err(|error| error.to_string()));
    sampling::end("two_objectives", result.map_err(Into::into))
}
