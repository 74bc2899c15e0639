//! The training loop: epochs of shuffled batches, annealing, evaluation, checkpoints and what goes into `--out`.

use std::error::Error;
use std::time::Instant;

use ppl::rng::Rng;
use rand::seq::SliceRandom;

use super::args::{Args, Summary};
use super::batch::Batch;
use super::chorales::{self, Chorales, Sequence, Source, time_steps};
use super::curves::Curves;
use super::generation::write_chorales;
use super::inference::{DmmSvi, begin};
use super::network::Sizes;
use super::progress::Progress;

/// Trains as the command line says and returns the last line's figures.
///
/// # Errors
/// Missing or broken files, a run that fails, files that cannot be written.
pub fn train(args: &Args) -> Result<Summary, Box<dyn Error>> {
    let (chorales, source) = chorales::load(args.data_dir.as_deref())?;
    let data = kind(&chorales, &source);
    eprintln!("{}", title(&chorales, &source, data));
    if let Some(out) = &args.out {
        std::fs::create_dir_all(out).map_err(|error| format!("{}: {error}", out.display()))?;
    }

    let sizes = Sizes { flows: args.iafs, ..Sizes::default() };
    let steps = chorales.train.len().div_ceil(args.batch) as u64;
    let mut svi = begin(args, sizes, steps, &Batch::new(&[&chorales.train[0]]))?;
    let mut run = Run {
        args,
        chorales: &chorales,
        sizes,
        steps,
        curves: curves(args, svi.steps() / steps)?,
        progress: Progress::new(args.epochs, steps, svi.steps()),
    };
    let (mut seconds, mut nll) = (Vec::new(), None);
    for epoch in svi.steps() / steps..args.epochs {
        let start = Instant::now();
        let annealed = run.epoch(&mut svi, epoch)?;
        seconds.push(start.elapsed().as_secs_f64());
        if (epoch + 1) % args.eval_every == 0 || epoch + 1 == args.epochs {
            nll = Some(run.evaluate(&svi, Some(annealed))?);
        }
    }
    // Of a run that had nothing left to do.
    let [train_nll, valid_nll, test_nll] = nll.map_or_else(|| run.evaluate(&svi, None), Ok)?;
    if let Some(out) = &args.out {
        write_chorales(out, svi.params(), sizes, args.seed, &chorales.test[0])?;
    }
    let (epochs, iafs, seed) = (svi.steps() / steps, args.iafs, args.seed);
    let seconds_per_epoch = median(&mut seconds);
    Ok(Summary { example: "dmm", data, train_nll, valid_nll, test_nll, epochs, iafs, seconds_per_epoch, seed })
}

/// The curves before the first epoch to come: those of the run before, if it is resumed.
fn curves(args: &Args, epoch: u64) -> Result<Curves, Box<dyn Error>> {
    match &args.out {
        Some(out) if args.resume => Ok(Curves::resumed(out, epoch)?),
        _ => Ok(Curves::default()),
    }
}

/// The name of the data in the last line.
fn kind(chorales: &Chorales, source: &Source) -> &'static str {
    match source {
        Source::Sample => "sample",
        Source::File(_) if chorales.are_of_the_papers() => "jsb",
        Source::File(_) => "other",
    }
}

/// Which chorales these are, and what figures on them are worth.
fn title(chorales: &Chorales, source: &Source, kind: &str) -> String {
    let [train, valid, test] = chorales.splits().map(<[_]>::len);
    let name = match source {
        Source::File(path) => path.display().to_string(),
        Source::Sample => "no file of the JSB chorales was found; the sample that is part of this program".into(),
    };
    let worth = match kind {
        "jsb" => "",
        _ => "\nThese are not the JSB chorales of the papers: figures on them do not compare with published ones.",
    };
    format!("{name}: {train} training, {valid} validation and {test} test chorales{worth}")
}

/// What stays the same from epoch to epoch, and what is shown of them.
struct Run<'a> {
    args: &'a Args,
    chorales: &'a Chorales,
    sizes: Sizes,
    /// Steps of an epoch.
    steps: u64,
    curves: Curves,
    progress: Progress,
}

impl Run<'_> {
    /// One pass over the training chorales in an order of its own; the annealed loss per time step.
    fn epoch(&self, svi: &mut DmmSvi, epoch: u64) -> Result<f64, Box<dyn Error>> {
        let mut order: Vec<&Sequence> = self.chorales.train.iter().collect();
        order.shuffle(&mut Rng::named(self.args.seed, &format!("epoch {epoch}")));
        self.progress.begin(epoch + 1);
        let (mut total, mut time) = (0.0, 0);
        for (number, sequences) in order.chunks(self.args.batch).enumerate() {
            let batch = Batch::new(sequences);
            total += svi.step((&batch, self.sizes, annealing(self.args, epoch, number as u64, self.steps)))?;
            time += batch.time_steps();
            self.progress.step(total / time as f64);
        }
        Ok(total / time as f64)
    }

    /// The negative ELBO per time step of each split, one sample each, without annealing. Curves and checkpoint are
    /// written.
    fn evaluate(&mut self, svi: &DmmSvi, annealed: Option<f64>) -> Result<[f64; 3], Box<dyn Error>> {
        // A copy, so that the same parameters have the same figures however often they are judged.
        let (mut judged, mut nll) = (svi.clone(), [0.0; 3]);
        for (nll, sequences) in nll.iter_mut().zip(self.chorales.splits()) {
            let batch = Batch::new(&sequences.iter().collect::<Vec<_>>());
            *nll = judged.evaluate((&batch, self.sizes, 1.0))? / time_steps(sequences) as f64;
        }
        let epoch = svi.steps() / self.steps;
        self.progress.evaluated(epoch, annealed, nll);
        self.curves.add(epoch, nll);
        // The curves first: a run that is resumed drops points that its checkpoint does not know, and misses none.
        if let Some(out) = &self.args.out {
            self.curves.write(out)?;
        }
        if let Some(path) = &self.args.checkpoint {
            svi.save(path)?;
        }
        Ok(nll)
    }
}

/// The weight of the terms of the latents: from the least to 1, in equal steps over the epochs given.
fn annealing(args: &Args, epoch: u64, number: u64, steps: u64) -> f64 {
    if epoch >= args.annealing_epochs {
        return 1.0;
    }
    let done = (number + epoch * steps + 1) as f64 / (args.annealing_epochs as f64 * steps as f64);
    args.min_annealing + (1.0 - args.min_annealing) * done
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[test]
    fn the_weight_rises_in_equal_steps_to_1() {
        let args = Args::parse_from(["dmm", "--annealing-epochs", "4", "--min-annealing", "0.2"]);
        let weights: Vec<f64> =
            (0..5).flat_map(|e| (0..2).map(move |b| (e, b))).map(|(e, b)| annealing(&args, e, b, 2)).collect();
        let expected = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.0, 1.0];
        assert!(weights.iter().zip(expected).all(|(w, e)| (w - e).abs() < 1e-12), "{weights:?}");
        let args = Args::parse_from(["dmm", "--annealing-epochs", "0"]);
        assert_eq!(annealing(&args, 0, 0, 2), 1.0);
    }

    #[test]
    fn only_the_chorales_of_the_papers_go_by_their_name() {
        let sample = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/dmm/data/sample.json.gz");
        let (chorales, file) = chorales::load(Some(&sample)).unwrap();
        for (source, expected) in [(Source::Sample, "sample"), (file, "other")] {
            assert_eq!(kind(&chorales, &source), expected);
            let title = title(&chorales, &source, expected);
            assert!(title.contains("24 training, 4 validation and 4 test chorales"), "{title}");
            assert!(title.contains("do not compare with published ones"), "{title}");
        }
        let part = |(n, steps): (usize, usize)| -> Vec<Sequence> {
            (0..n).map(|i| vec![vec![]; if i == 0 { steps - (n - 1) } else { 1 }]).collect()
        };
        let [train, valid, test] = [(229, 13_807), (76, 4_602), (77, 4_725)].map(part);
        let of_the_papers = Chorales { train, valid, test };
        let source = Source::File("jsb".into());
        assert_eq!(kind(&of_the_papers, &source), "jsb");
        assert_eq!(title(&of_the_papers, &source, "jsb"), "jsb: 229 training, 76 validation and 77 test chorales");
    }
}
