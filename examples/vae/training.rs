//! The training loop: epochs of shuffled batches, evaluation, checkpoints and pictures.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use ppl::infer::{Adam, Svi, TraceElbo};
use ppl::prelude::*;
use ppl::rng::Rng;
use rand::seq::SliceRandom;

use super::args::{Args, Summary};
use super::digits::{Digits, PIXELS};
use super::network::{Decoder, Encoder, Images, Sizes, vae, vae_guide};
use super::pictures::{elbo_curve, image_grid};

type VaeSvi = Svi<vae, vae_guide, Adam<f32>, TraceElbo, f32, Cpu>;

/// Trains as the command line says and returns the last line's figures.
///
/// # Errors
/// Missing or broken files, a run that fails, pictures that cannot be written.
pub fn train(args: &Args) -> Result<Summary, Box<dyn Error>> {
    let splits = args.data.load(args.data_dir.as_deref())?;
    let (train, test) = (&splits.train, &splits.test);
    let sizes = Sizes { hidden: args.hidden, layers: args.layers.into(), latent: args.latent };
    eprintln!("{}: {} training images, {} test images", args.data.title(), train.len(), test.len());
    if let Some(out) = &args.out {
        std::fs::create_dir_all(out).map_err(|error| format!("{}: {error}", out.display()))?;
    }

    let mut svi = Svi::new(vae, vae_guide, Adam::new(args.lr), TraceElbo::default()).seed(args.seed);
    let steps = train.len().div_ceil(args.batch) as u64;
    if let Some(path) = args.checkpoint.as_deref().filter(|_| args.resume) {
        svi.load(path, (&batch(train, &[0]), sizes))?;
        eprintln!("resumed {} after {} steps", path.display(), svi.steps());
    }

    let mut curves = Curves::default();
    let (mut milliseconds, mut test_elbo) = (Vec::new(), f64::NAN);
    for epoch in svi.steps() / steps..args.epochs() {
        let train_elbo = run_epoch(&mut svi, train, sizes, args, epoch, &mut milliseconds)?;
        test_elbo = evaluate(&mut svi, test, sizes, args.batch)?;
        eprintln!("epoch {:>3}: train ELBO {train_elbo:.3}, test ELBO {test_elbo:.3} per image", epoch + 1);
        curves.add(epoch, train_elbo, test_elbo);
        if let Some(path) = &args.checkpoint {
            svi.save(path)?;
        }
    }
    if test_elbo.is_nan() {
        test_elbo = evaluate(&mut svi, test, sizes, args.batch)?;
    }
    if let Some(out) = &args.out {
        draw(&svi, test, sizes, args.seed, out)?;
        curves.draw(out)?;
    }
    Ok(Summary {
        example: "vae",
        data: args.data,
        epochs: svi.steps() / steps,
        test_elbo,
        ms_per_step: median(&mut milliseconds),
        seed: args.seed,
    })
}

/// One pass over the training images in an order of its own; the mean ELBO per image.
fn run_epoch(
    svi: &mut VaeSvi,
    train: &Digits,
    sizes: Sizes,
    args: &Args,
    epoch: u64,
    milliseconds: &mut Vec<f64>,
) -> Result<f64, Box<dyn Error>> {
    let mut order: Vec<usize> = (0..train.len()).collect();
    order.shuffle(&mut Rng::named(args.seed, &format!("epoch {epoch}")));
    let bar = ProgressBar::new(order.len() as u64);
    bar.set_style(ProgressStyle::with_template("{wide_bar} {pos}/{len} images {msg}")?);
    let mut total = 0.0;
    // A run that was interrupted within an epoch is saved only at its end, so whole epochs remain.
    for rows in order.chunks(args.batch) {
        let images = batch(train, rows);
        let start = Instant::now();
        let loss = svi.step((&images, sizes))?;
        milliseconds.push(start.elapsed().as_secs_f64() * 1e3);
        total -= loss;
        bar.inc(rows.len() as u64);
        bar.set_message(format!("ELBO {:.2}", -loss / rows.len() as f64));
    }
    bar.finish_and_clear();
    Ok(total / train.len() as f64)
}

/// The ELBO per image, one sample each.
fn evaluate(svi: &mut VaeSvi, digits: &Digits, sizes: Sizes, size: usize) -> Result<f64, Box<dyn Error>> {
    let rows: Vec<usize> = (0..digits.len()).collect();
    let mut total = 0.0;
    for rows in rows.chunks(size) {
        total -= svi.evaluate((&batch(digits, rows), sizes))?;
    }
    Ok(total / digits.len() as f64)
}

/// Some images as rows of a tensor.
fn batch(digits: &Digits, rows: &[usize]) -> Images {
    let pixels: Vec<f32> = rows.iter().flat_map(|&row| digits.image(row)).copied().collect();
    Tensor::from_vec(pixels, (rows.len(), Const))
}

/// Test images over their reconstructions, and images decoded from the prior.
fn draw(svi: &VaeSvi, test: &Digits, sizes: Sizes, seed: u64, out: &Path) -> Result<(), Box<dyn Error>> {
    const COLUMNS: usize = 10;
    let missing = "the parameters were not trained";
    let encoder: Encoder = svi.params().get("encoder").ok_or(missing)?;
    let decoder: Decoder = svi.params().get("decoder").ok_or(missing)?;
    let rows: Vec<usize> = (0..COLUMNS.min(test.len())).collect();
    let (loc, _) = encoder.forward(&batch(test, &rows));
    let decoded = decoder.forward(&loc).sigmoid().to_vec();
    let originals = rows.iter().map(|&row| test.image(row)).collect();
    image_grid(out.join("reconstructions.png"), &[originals, decoded.chunks(PIXELS).collect()])?;

    let z = Normal::standard_like((COLUMNS * COLUMNS, sizes.latent)).draw(&mut Rng::named(seed, "prior samples"));
    let samples = decoder.forward(&z).sigmoid().to_vec();
    let images: Vec<&[f32]> = samples.chunks(PIXELS).collect();
    image_grid(out.join("samples.png"), &images.chunks(COLUMNS).map(<[_]>::to_vec).collect::<Vec<_>>())?;
    Ok(())
}

/// ELBO per image after each epoch.
#[derive(Debug, Default)]
struct Curves {
    train: Vec<(u32, f64)>,
    test: Vec<(u32, f64)>,
}

impl Curves {
    fn add(&mut self, epoch: u64, train: f64, test: f64) {
        let epoch = u32::try_from(epoch + 1).unwrap_or(u32::MAX);
        self.train.push((epoch, train));
        self.test.push((epoch, test));
    }

    fn draw(&self, out: &Path) -> Result<(), Box<dyn Error>> {
        if self.train.is_empty() {
            return Ok(());
        }
        Ok(elbo_curve(out.join("elbo.svg"), &self.train, &self.test)?)
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
