//! What the examples of Markov chains share: their options, the table and warnings of a run, and its files.

#![allow(dead_code, reason = "each example takes what it needs of it")]

use std::error::Error;
use std::path::PathBuf;

use clap::Args;
use ppl::infer::diagnostics::Summary;
use ppl::infer::export::InferenceData;
use ppl::infer::pictures::{PictureOptions, density_plot, energy_plot, pair_plot, rank_plot, trace_plot};
use ppl::infer::{Draws, McmcOptions};
use serde::Serialize;

/// How chains run.
#[derive(Clone, Debug, Args)]
pub(crate) struct Sampling {
    /// Chains, side by side
    #[arg(long, default_value_t = 4)]
    pub(crate) chains: usize,

    /// Iterations of each chain's warm-up
    #[arg(long, default_value_t = 1000)]
    pub(crate) warmup: usize,

    /// Draws of each chain
    #[arg(long, default_value_t = 1000)]
    pub(crate) draws: usize,

    /// Seed of all randomness
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,

    /// The folder for files: draws as ArviZ opens them, and pictures
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
}

/// The figures that every example of chains ends with.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figures {
    /// The greatest R-hat of all numbers.
    pub(crate) r_hat_max: f64,
    /// The least effective sample size in the bulk.
    pub(crate) ess_bulk_min: f64,
    /// Transitions that diverged.
    pub(crate) divergences: usize,
    /// The seed.
    pub(crate) seed: u64,
}

impl Sampling {
    /// The options of the chains, with a bar for each on a terminal.
    pub(crate) fn options(&self) -> McmcOptions {
        let Sampling { chains, warmup, draws, seed, .. } = *self;
        McmcOptions { chains, warmup, draws, seed, progress: true, ..McmcOptions::default() }
    }

    /// Prints the table of some variables and what is wrong on stderr, writes the files, if a folder was given, and
    /// returns the figures of all variables.
    ///
    /// # Errors
    /// If there are no draws, or a file cannot be written.
    pub(crate) fn report(&self, draws: &Draws, shown: &[&str]) -> Result<Figures, Box<dyn Error>> {
        eprintln!("{}", draws.summary_of(shown, 0.94)?);
        draws.warnings()?.iter().for_each(|warning| eprintln!("{warning}"));
        self.write(draws, shown)?;
        self.figures(draws)
    }

    /// Writes the draws and pictures of some variables, if a folder was given.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub(crate) fn write(&self, draws: &Draws, shown: &[&str]) -> Result<(), Box<dyn Error>> {
        if let Some(folder) = &self.out {
            std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
            InferenceData::from_draws(draws).write_json(folder.join("posterior.json"))?;
            let options = PictureOptions::of(shown.iter().copied());
            trace_plot(draws, &options)?.write(folder.join("trace.svg"))?;
            rank_plot(draws, &options)?.write(folder.join("rank.svg"))?;
            density_plot(draws, &options)?.write(folder.join("density.svg"))?;
            // Several blocks of a Gibbs sampler have no energy in common.
            if draws.sampler_figures().bfmi.iter().all(|bfmi| bfmi.is_finite()) {
                energy_plot(draws, &PictureOptions::default())?.write(folder.join("energy.svg"))?;
            }
            pair_plot(draws, &PictureOptions::of(first_numbers(draws, shown)))?.write(folder.join("pair.svg"))?;
        }
        Ok(())
    }

    fn figures(&self, draws: &Draws) -> Result<Figures, Box<dyn Error>> {
        let Summary { rows, .. } = draws.summary()?;
        // A number that never changes, such as a diagonal of ones, has neither.
        let of =
            |figure: fn(&ppl::infer::diagnostics::SummaryRow) -> f64| rows.iter().map(figure).filter(|x| !x.is_nan());
        Ok(Figures {
            r_hat_max: of(|row| row.r_hat).fold(f64::NEG_INFINITY, f64::max),
            ess_bulk_min: of(|row| row.ess_bulk).fold(f64::INFINITY, f64::min),
            divergences: draws.sampler_figures().divergences,
            seed: self.seed,
        })
    }
}

/// As many numbers of the variables as a picture of pairs has room for.
fn first_numbers(draws: &Draws, variables: &[&str]) -> Vec<String> {
    let of = |name: &&str| {
        draws.variable(name).map(|variable| variable.quantities().collect::<Vec<_>>()).unwrap_or_default()
    };
    variables.iter().flat_map(of).take(6).collect()
}

/// Fails where a mean is further from what is known than a tenth of a standard deviation and five Monte Carlo errors: by
/// chance alone in one of a million runs.
///
/// # Errors
/// If it is, or there is no such number.
pub(crate) fn check_mean(draws: &Draws, name: &str, [known, sd]: [f64; 2]) -> Result<f64, Box<dyn Error>> {
    let variable = name.split('[').next().unwrap_or(name);
    let summary = draws.summary_of(&[variable], 0.94)?;
    let row = summary.rows.iter().find(|row| row.name == name).ok_or_else(|| format!("there is no {name}"))?;
    if (row.mean - known).abs() > 0.1 * sd + 5.0 * row.mcse_mean {
        return Err(format!(
            "the mean of {name} is {:.3} ± {:.3}, but is known to be {known}",
            row.mean, row.mcse_mean
        )
        .into());
    }
    Ok(row.mean)
}

/// Prints the last line of an example, or what went wrong.
pub(crate) fn end(example: &str, outcome: Result<serde_json::Value, Box<dyn Error>>) -> std::process::ExitCode {
    match outcome {
        Ok(summary) => {
            println!("{summary}");
            std::process::ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{example}: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}
