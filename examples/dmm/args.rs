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

    /// Passes over the training chorales, those of a resumed run included; 0 judges the untrained model
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

    /// The weight that they begin with, at most 1
    #[arg(long, default_value_t = 0.2, value_parser = fraction)]
    pub min_annealing: f64,

    /// Epochs from one evaluation on the validation and test chorales to the next
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    pub eval_every: u64,

    /// A file to save the run to after each evaluation, the last one included
    #[arg(long)]
    pub checkpoint: Option<PathBuf>,

    /// Goes on from the checkpoint
    #[arg(long, requires = "checkpoint")]
    pub resume: bool,

    /// The folder for curves, and for generated chorales as pictures and as MIDI files
    #[arg(long)]
    pub out: Option<PathBuf>,
}

/// The last line on stdout. The negative evidence lower bounds are in nats a time step.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Always "dmm".
    pub example: &'static str,
    /// "jsb" for the file of the papers on this model, "sample" for the chorales that are part of the program,
    /// "other" for other files.
    pub data: &'static str,
    /// Of the training chorales.
    pub train_nll: f64,
    /// Of the validation chorales.
    pub valid_nll: f64,
    /// Of the test chorales.
    pub test_nll: f64,
    /// Passes that were taken, those before a checkpoint included.
    pub epochs: u64,
    /// Flows of the guide.
    pub iafs: usize,
    /// Median time of a pass, without evaluation; 0 if there was none.
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

fn fraction(text: &str) -> Result<f64, String> {
    above_zero(text).ok().filter(|&f| f <= 1.0).ok_or_else(|| "a number above 0 and at most 1 is needed".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_out_of_their_range_are_refused_with_what_is_needed() {
        let cases = [
            ("--batch", "0", "a whole number above 0 is needed"),
            ("--batch", "a few", "a whole number above 0 is needed"),
            ("--lr", "0", "a number above 0 is needed"),
            ("--lr", "inf", "a number above 0 is needed"),
            ("--lr", "NaN", "a number above 0 is needed"),
            ("--min-annealing", "0", "a number above 0 and at most 1 is needed"),
            ("--min-annealing", "1.01", "a number above 0 and at most 1 is needed"),
            ("--min-annealing", "NaN", "a number above 0 and at most 1 is needed"),
            ("--eval-every", "0", "0 is not in 1.."),
            ("--epochs", "-1", "--epochs"),
            ("--epochs", "1.5", "invalid digit"),
            ("--iafs", "one", "invalid digit"),
        ];
        for (option, value, needed) in cases {
            let message = Args::try_parse_from(["dmm", &format!("{option}={value}")]).unwrap_err().to_string();
            assert!(message.contains(needed) && message.contains(option), "{option} {value}: {message}");
        }
        let message = Args::try_parse_from(["dmm", "--resume"]).unwrap_err().to_string();
        assert!(message.contains("--checkpoint"), "{message}");
    }

    #[test]
    fn the_defaults_are_those_of_pyros_example() {
        let args = Args::parse_from(["dmm"]);
        assert_eq!((args.batch, args.lr, args.iafs), (20, 3e-4, 0));
        assert_eq!((args.annealing_epochs, args.min_annealing), (1000, 0.2));
        let args = Args::parse_from(["dmm", "--epochs", "0", "--annealing-epochs", "0", "--min-annealing", "1"]);
        assert_eq!((args.epochs, args.annealing_epochs, args.min_annealing), (0, 0, 1.0));
    }
}
