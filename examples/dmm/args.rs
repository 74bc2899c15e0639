//! The command line of the example.

use std::path::PathBuf;

use clap::Parser;
use serde::Serialize;

/// Trains the Deep Markov Model of the Pyro paper on chorales of Bach.
#[derive(Clone, Debug, Parser)]
pub struct Args {
    /// The folder of jsb_chorales.json.gz, or the file [default: PPL_DATA, or ../shared/data, or else a few
    /// chorales that are part of this program]
    #[arg(long)]
    pub data_dir: Option<PathBuf>,

    /// Passes over the training chorales
    #[arg(long, default_value_t = 100)]
    pub epochs: u64,

    /// Inverse autoregressive flows of the guide
    #[arg(long, default_value_t = 0)]
    pub iafs: usize,

    /// Chorales in a step
    #[arg(long, default_value_t = 20, value_parser = positive)]
    pub batch: usize,

    /// Seed of initial weights, batches and draws
    #[arg(long, default_value_t = 0)]
    pub seed: u64,

    /// Learning rate of ClippedAdam
    #[arg(long, default_value_t = 3e-4, value_parser = above_zero)]
    pub lr: f64,

    /// Epochs until the terms of the latents have their full weight
    #[arg(long, default_value_t = 1000)]
    pub annealing_epochs: u64,

    /// The weight that they begin with
    #[arg(long, default_value_t = 0.2, value_parser = above_zero)]
    pub min_annealing: f64,

    /// Epochs from one evaluation on the validation and test chorales to the next
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    pub eval_every: u64,

    /// A file to save the run to after each evaluation
    #[arg(long)]
    pub checkpoint: Option<PathBuf>,

    /// Goes on from the checkpoint
    #[arg(long, requires = "checkpoint")]
    pub resume: bool,

    /// The folder for curves, generated chorales as pictures, and as MIDI files
    #[arg(long)]
    pub out: Option<PathBuf>,
}

/// The last line on stdout. The negative evidence lower bounds are in nats a time step.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Always "dmm".
    pub example: &'static str,
    /// "jsb", or "sample" for the chorales that are part of the program.
    pub data: &'static str,
    /// Of the training chorales.
    pub train_nll: f64,
    /// Of the validation chorales.
    pub valid_nll: f64,
    /// Of the test chorales.
    pub test_nll: f64,
    /// Passes that were taken.
    pub epochs: u64,
    /// Flows of the guide.
    pub iafs: usize,
    /// Median time of a pass.
    pub seconds_per_epoch: f64,
    /// The seed.
    pub seed: u64,
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("a whole number above 0 is needed".into()),
        Ok(number) => Ok(number),
    }
}

fn above_zero(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|r: &f64| *r > 0.0 && r.is_finite()).ok_or_else(|| "a number above 0 is needed".into())
}
