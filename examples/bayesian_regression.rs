//! Bayesian linear regression with an interaction, by an autoguide: what the first tutorial of Pyro does with terrain and
//! income. `cargo run --release --example bayesian_regression`
//!
//! The rows are simulated from known weights in the form of the tutorial's (ruggedness, whether in Africa, logarithm of
//! income). Known: the noise is given, so that the posterior of the weights is normal with a closed form. The last line on stdout is
//! one JSON object.

#[path = "sampling/mod.rs"]
mod sampling;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use ppl::infer::optim::Schedule;
use ppl::infer::svi::Convergence;
use ppl::infer::{Adam, AutoMultivariateNormal, RunOptions, Svi, TraceElbo};
use ppl::prelude64::*;
use ppl::rng::Rng;
use rand::Rng as _;
use rand_distr::StandardNormal;
use serde_json::{Value, json};

type Weights = Tensor<Rank1<4>>;
type Rows = Tensor<(usize,)>;
type Table = Tensor<(usize, Const<4>)>;

/// The standard deviation of the noise, and of the prior of each weight.
const NOISE: f64 = 0.9;
const PRIOR: f64 = 5.0;
/// Intercept, Africa, ruggedness, and both.
const TRUTH: [f64; 4] = [9.2, -1.9, -0.2, 0.4];
const NAMES: [&str; 4] = ["intercept", "africa", "ruggedness", "interaction"];

#[model]
fn bayesian_regression(x: &Table, y: &Rows) {
    let weights: Weights = sample!("weights", Normal::new(Weights::zeros(), PRIOR).to_event::<Axis<0>>());
    plate!("rows", x.shape().0, |_| {
        sample!("y", Normal::new(x.matmul(&weights), NOISE), obs = y);
    });
}

/// Bayesian regression by variational inference.
#[derive(Clone, Debug, Parser)]
struct Options {
    /// How many rows are simulated
    #[arg(long, default_value_t = 170)]
    rows: usize,

    /// The most steps
    #[arg(long, default_value_t = 6000)]
    steps: u64,

    /// The seed of the rows and of the fit
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// Rows of covariates, and their outcomes.
fn simulated(options: &Options) -> (Vec<[f64; 4]>, Vec<f64>) {
    let mut rng = Rng::named(options.seed, "rows of bayesian_regression");
    let row = |rng: &mut Rng| {
        let (africa, rugged) = (f64::from(u8::from(rng.gen_range(0.0..1.0) < 0.3)), rng.gen_range(0.0..6.0));
        [1.0, africa, rugged, africa * rugged]
    };
    let x: Vec<[f64; 4]> = (0..options.rows).map(|_| row(&mut rng)).collect();
    let outcome = |x: &[f64; 4]| {
        let noise: f64 = rng.sample(StandardNormal);
        x.iter().zip(TRUTH).map(|(x, w)| x * w).sum::<f64>() + NOISE * noise
    };
    let y = x.iter().map(outcome).collect();
    (x, y)
}

/// The posterior's mean and covariance (Bishop, *Pattern Recognition and Machine Learning*, 3.3.1).
fn exact(x: &[[f64; 4]], y: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let beta = NOISE.powi(-2);
    let mut precision = [0.0; 16];
    let mut moment = [0.0; 4];
    (0..4).for_each(|i| precision[5 * i] = PRIOR.powi(-2));
    for (x, y) in x.iter().zip(y) {
        for i in 0..4 {
            moment[i] += beta * x[i] * y;
            (0..4).for_each(|j| precision[4 * i + j] += beta * x[i] * x[j]);
        }
    }
    let covariance = Tensor::<Rank2<4, 4>>::from_vec(precision.to_vec(), Rank2::default()).matrix_inverse();
    (covariance.matvec(&Tensor::from(moment)).to_vec(), covariance.to_vec())
}

fn run(options: &Options) -> Result<Value, Box<dyn Error>> {
    if options.rows == 0 {
        return Err("--rows: there must be one at least".into());
    }
    let (x, y) = simulated(options);
    let (mean, covariance) = exact(&x, &y);
    let table = Table::from_vec(x.concat(), (x.len(), Const));
    let rows = Rows::vector(y);

    let guide = AutoMultivariateNormal::new(bayesian_regression, (&table, &rows))?;
    let schedule = Schedule::Cosine { warmup: 0, steps: options.steps, floor: 1e-3 };
    let adam = Adam::new(0.05).schedule(schedule);
    let mut svi = Svi::new(bayesian_regression, guide.clone(), adam, TraceElbo::with_particles(8)).seed(options.seed);
    let report = svi.run(
        RunOptions { steps: options.steps, convergence: Some(Convergence::new(1000, 1e-6)), ..RunOptions::default() },
        (&table, &rows),
    )?;
    let elbo = svi.estimate((&table, &rows), 500)?;
    let found = guide.posterior(svi.params());

    println!(
        "{:?} after {} steps; ELBO {:.3} ± {:.3}",
        report.stop,
        report.losses.len(),
        -elbo.mean,
        elbo.standard_error
    );
    println!("{:<12} {:>9} {:>9} {:>9} {:>9} {:>9}", "", "truth", "mean", "exact", "sd", "exact");
    let (mut of_means, mut of_sds) = (0.0_f64, 0.0_f64);
    for i in 0..4 {
        let (sd, exact_sd) = (found.scale()[i], covariance[5 * i].sqrt());
        println!(
            "{:<12} {:>9.3} {:>9.3} {:>9.3} {:>9.4} {:>9.4}",
            NAMES[i], TRUTH[i], found.loc[i], mean[i], sd, exact_sd
        );
        of_means = of_means.max((found.loc[i] - mean[i]).abs() / exact_sd);
        of_sds = of_sds.max((sd / exact_sd - 1.0).abs());
    }
    if of_means > 0.15 || of_sds > 0.1 {
        return Err(format!(
            "the guide's means are off by up to {of_means:.3} standard deviations, those by up to {:.1} %: more than 0.15 and 10 %",
            100.0 * of_sds
        )
        .into());
    }
    Ok(json!({
        "example": "bayesian_regression", "rows": options.rows, "steps": report.losses.len(), "elbo": -elbo.mean,
        "weights": found.loc, "largest_error_of_means": of_means, "largest_error_of_sds": of_sds, "seed": options.seed,
    }))
}

fn main() -> ExitCode {
    ppl::memory::keep_freed_buffers();
    sampling::end("bayesian_regression", run(&Options::parse()))
}
