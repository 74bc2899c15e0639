//! Model, guide and optimiser joined, as they begin or as a checkpoint has them.

use std::error::Error;
use std::path::Path;

use ppl::infer::checkpoint::{Checkpoint, Header};
use ppl::infer::optim::ClippedAdamRule;
use ppl::infer::{ClippedAdam, Svi, TraceElbo};
use ppl::prelude::*;

use super::args::Args;
use super::batch::Batch;
use super::model::{dmm, dmm_guide};
use super::network::Sizes;

/// What the example trains.
pub type DmmSvi = Svi<dmm, dmm_guide, ClippedAdam<f32>, TraceElbo, f32, Cpu>;

/// A run with its parameters: new ones, or those of the checkpoint with `--resume`. An epoch has `steps` steps; the
/// batch can be any.
///
/// # Errors
/// A checkpoint that is not there, or not of such a run.
pub fn begin(args: &Args, sizes: Sizes, steps: u64, batch: &Batch) -> Result<DmmSvi, Box<dyn Error>> {
    let rule = ClippedAdamRule { betas: (0.96, 0.999), weight_decay: 2.0, rate_decay: 0.99996, ..Default::default() };
    let optimizer = ClippedAdam::with_rule(rule, args.lr);
    let mut svi = Svi::new(dmm, dmm_guide, optimizer, TraceElbo::default()).seed(args.seed);
    match args.checkpoint.as_deref() {
        Some(path) if args.resume => {
            check_there(path, path.exists(), "no checkpoint to resume; without --resume, a run makes one")?;
            check_made_alike(path, &Checkpoint::<f32>::read(path)?.header, args, steps)?;
            svi.load(path, (batch, sizes, 1.0))?;
            eprintln!("resumed {} after {} epochs", path.display(), svi.steps() / steps);
            return Ok(svi);
        }
        Some(path) => check_there(path, folder(path).is_dir(), "the folder of the checkpoint is not there")?,
        None => {}
    }
    // Parameters come to be where they are first met.
    svi.evaluate((batch, sizes, 1.0))?;
    Ok(svi)
}

fn check_there(path: &Path, there: bool, problem: &str) -> Result<(), String> {
    if there { Ok(()) } else { Err(format!("{}: {problem}", path.display())) }
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether the options that a checkpoint shows are those of this run.
fn check_made_alike(path: &Path, header: &Header, args: &Args, steps: u64) -> Result<(), String> {
    let saved = [("iafs", flows(header), args.iafs as u64), ("seed", header.seed, args.seed)];
    if let Some((option, saved, given)) = saved.into_iter().find(|(_, saved, given)| saved != given) {
        return Err(format!("{}: made with --{option} {saved}, but this run has --{option} {given}", path.display()));
    }
    if !header.step.is_multiple_of(steps) {
        return Err(format!(
            "{}: its {} steps are no whole epochs of {steps} steps; it was made with another --batch, or other data",
            path.display(),
            header.step
        ));
    }
    Ok(())
}

/// The number of flows of which a checkpoint has parameters.
fn flows(header: &Header) -> u64 {
    let number = |name: &String| name.strip_prefix("iafs.")?.split('.').next()?.parse::<u64>().ok();
    header.params.iter().filter_map(number).max().map_or(0, |last| last + 1)
}
