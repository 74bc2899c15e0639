//! Radon in homes, by county: intercepts that vary around what a county's uranium predicts.
//! `cargo run --release --example radon [-- --data-dir folder]`
//!
//! Without files, 919 homes in 85 counties are simulated. Known: of two standard deviations the posterior of all else is normal,
//! so that a sum over a grid of both is exact. The last line on stdout is one JSON object.

// The same module serves all examples of chains.
#[path = "../sampling/mod.rs"]
mod sampling;
// Homes and counties: from files, or simulated.
mod homes;
// The exact posterior, by sums over a grid.
mod exact;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use homes::Homes;
use ppl::infer::Mcmc;
use ppl::infer::mcmc::NutsOptions;
use ppl::prelude64::*;
use sampling::{Sampling, check_mean};
use serde_json::{Map, Value, json};

type Scalar = Tensor<()>;
type Rows = Tensor<(usize,)>;

#[model]
fn radon(homes: &Homes) {
    let (counties, rows) = (homes.uranium.numel(), homes.radon.numel());
    let mean: Scalar = sample!("mean", Normal::new(0.0, 5.0));
    let uranium: Scalar = sample!("uranium", Normal::new(0.0, 5.0));
    let between: Scalar = sample!("between", HalfNormal::new(1.0));
    let intercept = plate!("counties", counties, |_| {
        let standard: Rows = sample!("standard", Normal::standard_like((counties,)));
        deterministic!("intercept", mean + uranium * &homes.uranium + between * standard)
    });
    let floor: Scalar = sample!("floor", Normal::new(0.0, 5.0));
    let within: Scalar = sample!("within", HalfNormal::new(2.0));
    plate!("homes", rows, |_| {
        let expected = intercept.gather::<(usize,)>(&homes.county) + floor * &homes.floor;
        sample!("radon", Normal::new(expected, within), obs = &homes.radon);
    });
}

/// Radon by county, by NUTS.
#[derive(Clone, Debug, Parser)]
struct Options {
    /// The folder of `radon_obs.csv` (county, floor, y) and `radon_county.csv` (u) [default: simulated]
    #[arg(long)]
    data_dir: Option<PathBuf>,

    #[command(flatten)]
    sampling: Sampling,
}

fn run(options: &Options) -> Result<Value, Box<dyn Error>> {
    let homes = options.data_dir.as_deref().map_or_else(|| Ok(Homes::simulated()), Homes::read)?;
    let mut mcmc = Mcmc::new(radon, &homes, NutsOptions::default(), options.sampling.options())?;
    mcmc.run()?;
    let draws = mcmc.into_draws();
    let names = ["mean", "uranium", "floor", "between", "within"];
    let figures = options.sampling.report(&draws, &names)?;
    let known = exact::posterior(&homes, exact::range(&draws, "between")?, exact::range(&draws, "within")?);
    let mut summary = Map::new();
    summary.insert("example".into(), json!("radon"));
    for (name, known) in names.into_iter().zip(known) {
        summary.insert(name.into(), json!(check_mean(&draws, name, known)?));
    }
    summary.insert("r_hat_max".into(), json!(figures.r_hat_max));
    summary.insert("ess_bulk_min".into(), json!(figures.ess_bulk_min));
    summary.insert("divergences".into(), json!(figures.divergences));
    summary.insert("seed".into(), json!(figures.seed));
    Ok(Value::Object(summary))
}

fn main() -> ExitCode {
    ppl::memory::keep_freed_buffers();
    sampling::end("radon", run(&Options::parse()))
}
