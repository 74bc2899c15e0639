//! The command line of the example.

use std::path::PathBuf;

use clap::Parser;
use serde::Serialize;

use super::dataset::Dataset;

/// Trains the variational autoencoder of the Pyro paper on images of digits.
#[derive(Clone, Debug, Parser)]
pub struct Args {
    /// The images: 6,000 digits that are part of this program, or the full sets from files
    #[arg(long, value_enum, default_value_t = Dataset::Subset)]
    pub data: Dataset,

    /// The folder with the files of the full sets [default: PPL_DATA, or ../shared/data]
    #[arg(long)]
    pub data_dir: Option<PathBuf>,

    /// Passes over the training images [default: 100 for the subset, 10 for the full sets]
    #[arg(long)]
    pub epochs: Option<u64>,

    /// Images in a step
    #[arg(long, default_value_t = 256, value_parser = positive)]
    pub batch: usize,

    /// Units of a hidden layer
    #[arg(long, default_value_t = 400, value_parser = positive)]
    pub hidden: usize,

    /// Hidden layers of encoder and decoder
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2))]
    pub layers: u8,

    /// Latent dimensions
    #[arg(long, default_value_t = 50, value_parser = positive)]
    pub latent: usize,

    /// Learning rate of Adam
    #[arg(long, default_value_t = 1e-3, value_parser = rate)]
    pub lr: f64,

    /// Seed of initial weights, batches and draws
    #[arg(long, default_value_t = 0)]
    pub seed: u64,

    /// The folder for pictures: reconstructions, prior samples and the ELBO curve
    #[arg(long)]
    pub out: Option<PathBuf>,

    /// A file to save the run to after each epoch
    #[arg(long)]
    pub checkpoint: Option<PathBuf>,

    /// Goes on from the checkpoint
    #[arg(long, requires = "checkpoint")]
    pub resume: bool,
}

impl Args {
    /// How many passes to take.
    pub fn epochs(&self) -> u64 {
        self.epochs.unwrap_or(if self.data == Dataset::Subset { 100 } else { 10 })
    }
}

/// The last line on stdout.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Always "vae".
    pub example: &'static str,
    /// The data set's name.
    pub data: Dataset,
    /// Passes that were taken.
    pub epochs: u64,
    /// ELBO per held-out image, in nats.
    pub test_elbo: f64,
    /// Median time of a step.
    pub ms_per_step: f64,
    /// The seed.
    pub seed: u64,
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("a whole number above 0 is needed".into()),
        Ok(number) => Ok(number),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|r: &f64| *r > 0.0 && r.is_finite()).ok_or_else(|| "a number above 0 is needed".into())
}
