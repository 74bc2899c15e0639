//! Inference composed of blocks, as in Venture: a line through points some of which are outliers. Which are is drawn by enumeration,
//! the line by the no-U-turn sampler. `cargo run --release --example composed_inference`
//!
//! Known: the posterior of the line by quadrature, with the outliers summed out. The last line on stdout is one JSON object.

#[path = "sampling/mod.rs"]
mod sampling;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use ppl::infer::Gibbs;
use ppl::infer::gibbs::Enumerate;
use ppl::infer::mcmc::NutsOptions;
use ppl::prelude64::*;
use sampling::Sampling;
use serde_json::{Value, json};

type Vector = Tensor<Rank1<N>>;

const N: usize = 10;
const X: [f64; N] = [-2.0, -1.6, -1.1, -0.7, -0.2, 0.3, 0.6, 1.2, 1.5, 2.1];
const Y: [f64; N] = [-1.9, -1.4, 2.8, -0.3, 0.1, 0.9, 1.2, -3.1, 2.3, 2.9];
/// How often a point is an outlier, and the deviations of the others and of outliers.
const OUTLIERS: f64 = 0.15;
const DEVIATIONS: [f64; 2] = [0.5, 3.0];

#[model]
fn line(x: &Vector, y: &Vector) {
    let intercept: Tensor<()> = sample!("intercept", Normal::new(0.0, 2.0));
    let slope: Tensor<()> = sample!("slope", Normal::new(0.0, 2.0));
    plate!("points", N, |_| {
        let outlier: Vector = sample!("outlier", Bernoulli::new(Vector::full_like(OUTLIERS, Rank1::default())));
        let deviation = outlier * (DEVIATIONS[1] - DEVIATIONS[0]) + DEVIATIONS[0];
        sample!("y", Normal::new(x * slope + intercept, deviation), obs = y);
    });
}

/// A line through points some of which are outliers.
#[derive(Clone, Debug, Parser)]
struct Options {
    #[command(flatten)]
    sampling: Sampling,
}

/// Of each point, its probability with and without being an outlier.
fn parts(intercept: f64, slope: f64, at: usize) -> [f64; 2] {
    let density = |deviation: f64| {
        let z = (Y[at] - intercept - slope * X[at]) / deviation;
        (-0.5 * z * z).exp() / deviation
    };
    [(1.0 - OUTLIERS) * density(DEVIATIONS[0]), OUTLIERS * density(DEVIATIONS[1])]
}

/// The posterior's means and deviations of intercept and slope, and the probability of each point to be an outlier.
fn quadrature() -> ([[f64; 2]; 2], [f64; N]) {
    let grid: Vec<f64> = (-300..=300).map(|i| f64::from(i) * 0.01).collect();
    let (mut sum, mut moments, mut outliers) = (0.0, [[0.0; 2]; 2], [0.0; N]);
    for &intercept in &grid {
        for &slope in &grid {
            let of: [[f64; 2]; N] = std::array::from_fn(|at| parts(intercept, slope, at));
            let prior = (-0.125 * (intercept * intercept + slope * slope)).exp();
            let weight = prior * of.iter().map(|[a, b]| a + b).product::<f64>();
            sum += weight;
            for (moments, value) in moments.iter_mut().zip([intercept, slope]) {
                moments[0] += weight * value;
                moments[1] += weight * value * value;
            }
            outliers.iter_mut().zip(of).for_each(|(sum, [a, b])| *sum += weight * b / (a + b));
        }
    }
    let known = moments.map(|[first, second]| {
        let mean = first / sum;
        [mean, (second / sum - mean * mean).sqrt()]
    });
    (known, outliers.map(|of| of / sum))
}

fn run(options: &Options) -> Result<Value, Box<dyn Error>> {
    let (x, y) = (Vector::from(X), Vector::from(Y));
    let gibbs = Gibbs::new(line, (&x, &y))?
        .block(["outlier"], Enumerate::default())
        .block(["intercept", "slope"], NutsOptions::default());
    let mut chains = gibbs.chains(&options.sampling.options())?;
    chains.run()?;
    let draws = chains.into_draws();
    let figures = options.sampling.report(&draws, &["intercept", "slope", "outlier"])?;
    let (known, outliers) = quadrature();
    let intercept = sampling::check_mean(&draws, "intercept", known[0])?;
    let slope = sampling::check_mean(&draws, "slope", known[1])?;
    for (point, p) in outliers.into_iter().enumerate() {
        sampling::check_mean(&draws, &format!("outlier[{point}]"), [p, (p * (1.0 - p)).sqrt()])?;
    }
    Ok(json!({
        "example": "composed_inference", "intercept": intercept, "slope": slope, "exact": known,
        "r_hat_max": figures.r_hat_max, "ess_bulk_min": figures.ess_bulk_min, "seed": figures.seed,
    }))
}

fn main() -> ExitCode {
    sampling::end("composed_inference", run(&Options::parse()))
}
