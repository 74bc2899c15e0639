//! The training loop: epochs of shuffled batches, annealing, evaluation and checkpoints.

use std::error::Error;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use ppl::infer::optim::ClippedAdamRule;
use ppl::infer::{ClippedAdam, Svi, TraceElbo};
use ppl::prelude::*;
use ppl::rng::Rng;
use rand::seq::SliceRandom;

use super::args::{Args, Summary};
use super::batch::Batch;
use super::chorales::{self, Sequence, Source};
use super::model::{dmm, dmm_guide};
use super::network::Sizes;

type DmmSvi = Svi<dmm, dmm_guide, ClippedAdam<f32>, TraceElbo, f32, Cpu>;

/// Trains as the command line says and returns the last line's figures.
///
/// # Errors
/// Missing or broken files, a run that fails.
pub fn train(args: &Args) -> Result<Summary, Box<dyn Error>> {
    let (splits, source) = chorales::load(args.data_dir.as_deref())?;
    let sizes = Sizes { flows: args.iafs, ..Sizes::default() };
    let counts = [&splits.train, &splits.valid, &splits.test].map(Vec::len);
    eprintln!("{}: {} training, {} validation and {} test chorales", title(&source), counts[0], counts[1], counts[2]);
    if let Some(out) = &args.out {
        std::fs::create_dir_all(out).map_err(|error| format!("{}: {error}", out.display()))?;
    }

    let rule = ClippedAdamRule { betas: (0.96, 0.999), weight_decay: 2.0, rate_decay: 0.99996, ..Default::default() };
    let optimizer = ClippedAdam::with_rule(rule, args.lr);
    let mut svi = Svi::new(dmm, dmm_guide, optimizer, TraceElbo::default()).seed(args.seed);
    let steps = splits.train.len().div_ceil(args.batch) as u64;
    if let Some(path) = args.checkpoint.as_deref().filter(|_| args.resume) {
        svi.load(path, (&Batch::new(&[&splits.train[0]]), sizes, 1.0))?;
        eprintln!("resumed {} after {} steps", path.display(), svi.steps());
    }

    let (mut seconds, mut scores) = (Vec::new(), None);
    for epoch in svi.steps() / steps..args.epochs {
        let start = Instant::now();
        let loss = run_epoch(&mut svi, &splits.train, sizes, args, epoch)?;
        seconds.push(start.elapsed().as_secs_f64());
        let due = (epoch + 1) % args.eval_every == 0 || epoch + 1 == args.epochs;
        if due {
            let [train, valid, test] = evaluate(&mut svi, &splits, sizes)?;
            scores = Some([train, valid, test]);
            eprintln!(
                "epoch {:>4}: annealed {loss:.4}, NLL train {train:.4}, valid {valid:.4}, test {test:.4}",
                epoch + 1
            );
            if let Some(path) = &args.checkpoint {
                svi.save(path)?;
            }
        }
    }
    let [train_nll, valid_nll, test_nll] = match scores {
        Some(scores) => scores,
        None => evaluate(&mut svi, &splits, sizes)?,
    };
    seconds.sort_by(f64::total_cmp);
    let seconds_per_epoch = seconds.get(seconds.len() / 2).copied().unwrap_or(0.0);
    let data = if matches!(source, Source::Sample) { "sample" } else { "jsb" };
    let epochs = svi.steps() / steps;
    Ok(Summary {
        example: "dmm",
        data,
        train_nll,
        valid_nll,
        test_nll,
        epochs,
        iafs: args.iafs,
        seconds_per_epoch,
        seed: args.seed,
    })
}

fn title(source: &Source) -> String {
    match source {
        Source::File(path) => path.display().to_string(),
        Source::Sample => "no file of the JSB chorales was found; the sample that is part of this program".into(),
    }
}

/// One pass over the training chorales in an order of its own; the annealed loss per time step.
fn run_epoch(
    svi: &mut DmmSvi,
    train: &[Sequence],
    sizes: Sizes,
    args: &Args,
    epoch: u64,
) -> Result<f64, Box<dyn Error>> {
    let mut order: Vec<&Sequence> = train.iter().collect();
    order.shuffle(&mut Rng::named(args.seed, &format!("epoch {epoch}")));
    let bar = ProgressBar::new(order.len() as u64);
    bar.set_style(ProgressStyle::with_template(&format!("epoch {} {{wide_bar}} {{pos}}/{{len}} {{msg}}", epoch + 1))?);
    let steps = order.len().div_ceil(args.batch) as u64;
    let mut total = 0.0;
    for (number, sequences) in order.chunks(args.batch).enumerate() {
        let batch = Batch::new(sequences);
        let annealing = annealing(args, epoch, number as u64, steps);
        let loss = svi.step((&batch, sizes, annealing))?;
        total += loss;
        bar.inc(sequences.len() as u64);
        bar.set_message(format!("NLL {:.3}", loss / batch.time_steps() as f64));
    }
    bar.finish_and_clear();
    Ok(total / time_steps(train))
}

/// The weight of the terms of the latents: from the least to 1, in equal steps over the epochs given.
fn annealing(args: &Args, epoch: u64, number: u64, steps: u64) -> f64 {
    if epoch >= args.annealing_epochs {
        return 1.0;
    }
    let done = (number + epoch * steps + 1) as f64 / (args.annealing_epochs * steps) as f64;
    args.min_annealing + (1.0 - args.min_annealing) * done
}

/// The negative ELBO per time step of each split, one sample each.
fn evaluate(svi: &mut DmmSvi, splits: &chorales::Chorales, sizes: Sizes) -> Result<[f64; 3], Box<dyn Error>> {
    let mut scores = [0.0; 3];
    for (score, sequences) in scores.iter_mut().zip([&splits.train, &splits.valid, &splits.test]) {
        let all: Vec<&Sequence> = sequences.iter().collect();
        *score = svi.evaluate((&Batch::new(&all), sizes, 1.0))? / time_steps(sequences);
    }
    Ok(scores)
}

fn time_steps(sequences: &[Sequence]) -> f64 {
    sequences.iter().map(|sequence| sequence.len() as f64).sum()
}
