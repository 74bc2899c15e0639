//! A variational autoencoder of digits few of which have labels (Kingma et al., *Semi-supervised Learning with Deep Generative
//! Models*, NIPS 2014, model M2). `cargo run --release --example semi_supervised_vae`
//!
//! Where a label is missing it is a discrete site of the guide that is enumerated: the objective sums over all ten labels. Where it is
//! there, the same model observes it, and the guide's classifier is a likelihood of its own: guide and objective share one trace.
//! Known: what the same classifier reaches with the labels alone. The last line on stdout is one JSON object.

#[path = "vae/dataset.rs"]
pub mod dataset;
#[path = "vae/digits.rs"]
pub mod digits;
#[path = "vae/idx.rs"]
pub mod idx;
#[path = "vae/idx_error.rs"]
pub mod idx_error;
#[path = "sampling/mod.rs"]
mod sampling;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use dataset::Dataset;
use digits::{Digits, PIXELS};
use ppl::infer::{Adam, Svi, TraceElbo, TraceEnumElbo};
use ppl::nn::{Activation, Linear, Mlp};
use ppl::ops::concat;
use ppl::prelude::*;
use ppl::rng::Rng;
use rand::seq::SliceRandom;
use serde_json::{Value, json};

type Images = Tensor<(usize, Const<PIXELS>)>;
type Labels = Tensor<(usize, Const<10>)>;
type Rows = Tensor<(usize, usize)>;

/// Latent dimensions beside the label: few, so that the label is worth having.
const LATENT: usize = 5;
/// Units of each hidden layer.
const HIDDEN: usize = 200;

/// The logits of the pixels, given latents and label.
type Decoder = Mlp<usize, Const<PIXELS>>;

/// The latents' mean and standard deviation, given an image and its label.
#[derive(Clone, Debug, Module)]
struct Encoder {
    pixels: Linear<Const<PIXELS>, usize>,
    label: Linear<Const<10>, usize>,
    loc: Linear<usize, usize>,
    log_scale: Linear<usize, usize>,
}

impl Encoder {
    fn new(init: &mut Init<f32, Cpu>) -> Self {
        Encoder {
            pixels: Linear::new(init, Const, HIDDEN),
            label: Linear::new(init, Const, HIDDEN),
            loc: Linear::new(init, HIDDEN, LATENT),
            log_scale: Linear::new(init, HIDDEN, LATENT),
        }
    }

    fn forward(&self, images: &Images, labels: &Labels) -> (Rows, Rows) {
        let hidden = (self.pixels.forward(images) + self.label.forward(labels)).softplus();
        (self.loc.forward(&hidden), self.log_scale.forward(&hidden).exp())
    }
}

fn classifier(init: &mut Init<f32, Cpu>) -> Mlp<Const<PIXELS>, Const<10>> {
    Mlp::new(init, Const, &[HIDDEN], Const, Activation::Softplus)
}

/// Two tables side by side.
fn beside<A: Dim, B: Dim>(left: &Tensor<(usize, A)>, right: &Tensor<(usize, B)>) -> Rows {
    concat(1, left, right)
}

/// A label of equal probability, latents, an image of both. Labels that are given weigh as much as `weight` others for the classifier.
#[model]
fn digits_model(images: &Images, labels: Option<&Labels>, weight: f64) {
    let decoder = module!("decoder", |init| Decoder::new(init, LATENT + 10, &[HIDDEN], Const, Activation::Softplus));
    let n = images.shape().0;
    plate!("images", n, |_| {
        let y: Labels = sample!("y", OneHotCategorical::from_logits(Labels::full_like(0.0, (n, Const))), obs = labels);
        let z: Rows = sample!("z", Normal::standard_like((n, LATENT)));
        sample!("x", Bernoulli::from_logits(decoder.forward(beside(&z, &y))), obs = images);
        if let Some(labels) = labels {
            let logits = module!("classifier", classifier).forward(images);
            sample!("label", OneHotCategorical::from_logits(logits), obs = labels, scale = weight);
        }
    });
}

#[guide(digits_model)]
fn digits_guide(images: &Images, labels: Option<&Labels>, weight: f64) {
    let _ = weight;
    let encoder = module!("encoder", Encoder::new);
    plate!("images", images.shape().0, |_| {
        let y = match labels {
            Some(labels) => labels.clone(),
            None => {
                let logits = module!("classifier", classifier).forward(images);
                sample!("y", OneHotCategorical::from_logits(logits), enumerate)
            }
        };
        let (loc, scale) = encoder.forward(images, &y);
        sample!("z", Normal::new(loc, scale));
    });
}

/// The classifier with nothing else: what labels alone are worth.
#[model]
fn labels_alone(images: &Images, labels: &Labels) {
    let logits = module!("classifier", classifier).forward(images);
    plate!("images", images.shape().0, |_| {
        sample!("label", OneHotCategorical::from_logits(logits), obs = labels);
    });
}

#[guide(labels_alone)]
fn nothing(images: &Images, labels: &Labels) {
    let _ = (images, labels);
}

/// A semi-supervised variational autoencoder of digits.
#[derive(Clone, Debug, Parser)]
struct Options {
    /// The images: 6,000 digits that are part of this program, or the full sets from files
    #[arg(long, value_enum, default_value_t = Dataset::Subset)]
    data: Dataset,

    /// The folder with the files of the full sets [default: PPL_DATA, or ../shared/data]
    #[arg(long)]
    data_dir: Option<PathBuf>,

    /// How many of the training images keep their labels
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(10..))]
    labelled: u64,

    /// Passes over the training images
    #[arg(long, default_value_t = 15)]
    epochs: u64,

    /// Steps with labelled images alone, before the others join
    #[arg(long, default_value_t = 600)]
    first: usize,

    /// How much a label weighs for the classifier
    #[arg(long, default_value_t = 50.0)]
    weight: f64,

    /// Seed of initial weights, batches and draws
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

type Trained = Svi<digits_model, digits_guide, Adam<f32>, TraceEnumElbo, f32, Cpu>;

/// Images in a step.
const BATCH: usize = 100;

fn images(digits: &Digits, rows: &[usize]) -> Images {
    let pixels = rows.iter().flat_map(|&row| digits.image(row)).copied().collect();
    Tensor::from_vec(pixels, (rows.len(), Const))
}

fn labels(digits: &Digits, rows: &[usize]) -> Labels {
    let one_hot = |&row: &usize| (0..10).map(move |class| f32::from(digits.labels[row] == class));
    Tensor::from_vec(rows.iter().flat_map(one_hot).collect(), (rows.len(), Const))
}

/// The share of images whose likeliest label is theirs.
fn accuracy(params: &ParamStore<f32, Cpu>, digits: &Digits) -> Result<f64, Box<dyn Error>> {
    let classifier: Mlp<Const<PIXELS>, Const<10>> = params.get("classifier").ok_or("the classifier was not trained")?;
    let rows: Vec<usize> = (0..digits.len()).collect();
    let logits = classifier.forward(images(digits, &rows)).to_vec();
    let likeliest = |row: &[f32]| (0..10).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or(0);
    let right = logits.chunks(10).zip(&digits.labels).filter(|(row, label)| likeliest(row) == usize::from(**label));
    Ok(right.count() as f64 / digits.len() as f64)
}

fn run(options: &Options) -> Result<Value, Box<dyn Error>> {
    let splits = options.data.load(options.data_dir.as_deref())?;
    let (train, test) = (&splits.train, &splits.test);
    let mut order: Vec<usize> = (0..train.len()).collect();
    order.shuffle(&mut Rng::named(options.seed, "labels"));
    let (known, unknown) = order.split_at((options.labelled as usize).min(train.len() / 2));
    let (some, theirs) = (images(train, known), labels(train, known));

    let mut alone = Svi::new(labels_alone, nothing, Adam::new(1e-3), TraceElbo::default()).seed(options.seed);
    for _ in 0..300 {
        alone.step((&some, &theirs))?;
    }
    let by_labels = accuracy(alone.params(), test)?;
    println!("{} labels alone: {:.1} % of {} test images", known.len(), 100.0 * by_labels, test.len());

    let mut svi = Svi::new(digits_model, digits_guide, Adam::new(1e-3), TraceEnumElbo::default()).seed(options.seed);
    let size = BATCH.min(known.len());
    let learn_labels = |svi: &mut Trained, step: usize| {
        let chunk: Vec<usize> = (0..size).map(|i| known[(step * size + i) % known.len()]).collect();
        svi.step((&images(train, &chunk), Some(&labels(train, &chunk)), options.weight))
    };
    // First what a digit looks like; else the images without labels find classes of their own.
    for step in 0..options.first {
        learn_labels(&mut svi, step)?;
    }
    let mut rows = unknown.to_vec();
    let (mut found, mut bound) = (0.0, 0.0);
    for epoch in 0..options.epochs {
        rows.shuffle(&mut Rng::named(options.seed, &format!("epoch {epoch}")));
        bound = 0.0;
        for (step, chunk) in rows.chunks(BATCH).enumerate() {
            bound -= svi.step((&images(train, chunk), None, options.weight))?;
            learn_labels(&mut svi, step)?;
        }
        bound /= rows.len() as f64;
        found = accuracy(svi.params(), test)?;
        println!("epoch {:>3}: ELBO {bound:.2} per image without a label, accuracy {:.1} %", epoch + 1, 100.0 * found);
    }
    // After few passes the images without labels may not help yet; they must not harm.
    if found < by_labels - 0.05 || (options.epochs >= 10 && found <= by_labels) {
        let problem = "the images without labels did not help";
        return Err(format!("{problem}: {found:.3} with them, {by_labels:.3} with labels alone").into());
    }
    Ok(json!({
        "example": "semi_supervised_vae", "data": options.data, "labelled": known.len(), "accuracy": found,
        "accuracy_of_labels_alone": by_labels, "elbo": bound, "epochs": options.epochs, "seed": options.seed,
    }))
}

fn main() -> ExitCode {
    ppl::memory::keep_freed_buffers();
    let options = Options::parse();
    let result = rayon::scope(|_| run(&options).map_err(|error| error.to_string()));
    sampling::end("semi_supervised_vae", result.map_err(Into::into))
}
