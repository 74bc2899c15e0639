//! Bayesian logistic regression. `cargo run --release --example logistic_regression [-- --data table.csv]`
//!
//! Without a file, 1,000 rows are simulated from known weights. Known: with so many rows the posterior is all but normal,
//! around the mode and with the curvature there, which Newton's method finds. The last line on stdout is one JSON object.

#[path = "sampling/mod.rs"]
mod sampling;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use ppl::infer::Mcmc;
use ppl::infer::mcmc::NutsOptions;
use ppl::prelude64::*;
use ppl::rng::Rng;
use rand::Rng as _;
use rand_distr::StandardNormal;
use sampling::{Sampling, check_mean};
use serde_json::{Value, json};

type Scalar = Tensor<()>;
type Rows = Tensor<(usize,)>;
type Table = Tensor<(usize, usize)>;

/// The standard deviation of the prior of all weights.
const PRIOR: f64 = 2.5;

#[model]
fn logistic_regression(x: &Table, y: &Rows) {
    let (rows, columns) = x.shape();
    let intercept: Scalar = sample!("intercept", Normal::new(0.0, PRIOR));
    let weights: Rows = sample!("weights", Normal::filled((columns,), 0.0, PRIOR).to_event::<Axis<0>>());
    plate!("rows", rows, |_| {
        sample!("y", Bernoulli::from_logits(x.matmul(&weights) + intercept), obs = y);
    });
}

/// Bayesian logistic regression by NUTS.
#[derive(Clone, Debug, Parser)]
struct Options {
    /// A table: a line of names, then numbers, the last column 0 or 1 [default: simulated]
    #[arg(long)]
    data: Option<PathBuf>,

    #[command(flatten)]
    sampling: Sampling,
}

/// Rows of covariates, and their outcomes.
struct Data {
    x: Vec<Vec<f64>>,
    y: Vec<f64>,
}

/// 1,000 rows of three standard normal columns, whose weights are 1, −2 and 0.5, with an intercept of −0.5.
fn simulated() -> Data {
    let mut rng = Rng::named(0, "rows of logistic_regression");
    let x: Vec<Vec<f64>> = (0..1000).map(|_| (0..3).map(|_| rng.sample(StandardNormal)).collect()).collect();
    let mut outcome = |row: &Vec<f64>| {
        let logit = -0.5 + row[0] - 2.0 * row[1] + 0.5 * row[2];
        f64::from(u8::from(rng.gen_range(0.0..1.0) < 1.0 / (1.0 + (-logit).exp())))
    };
    let y = x.iter().map(&mut outcome).collect();
    Data { x, y }
}

/// # Errors
/// If the file cannot be read, a cell is no number, rows differ in length, or an outcome is neither 0 nor 1: file and line
/// are named.
fn read(path: &Path) -> Result<Data, Box<dyn Error>> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut data = Data { x: Vec::new(), y: Vec::new() };
    for (number, line) in text.lines().enumerate().skip(1).filter(|(_, line)| !line.trim().is_empty()) {
        let wrong = |problem: String| format!("{}, line {}: {problem}", path.display(), number + 1);
        let cells: Result<Vec<f64>, _> = line.split(',').map(|cell| cell.trim().parse::<f64>()).collect();
        let mut row = cells.map_err(|error| wrong(error.to_string()))?;
        let outcome = row.pop().filter(|y| [0.0, 1.0].contains(y));
        data.y.push(outcome.ok_or_else(|| wrong("the last column must be 0 or 1".into()))?);
        let columns = data.x.first().map_or(row.len(), Vec::len);
        if row.len() != columns || row.is_empty() || row.iter().any(|x| !x.is_finite()) {
            return Err(wrong(format!("{} finite numbers were expected before the last column", columns.max(1))).into());
        }
        data.x.push(row);
    }
    if data.x.is_empty() { Err(format!("{}: there are no rows", path.display()).into()) } else { Ok(data) }
}

/// Mode and standard deviations of the normal approximation: intercept first.
fn normal_approximation(data: &Data) -> Vec<[f64; 2]> {
    let dim = data.x[0].len() + 1;
    let mut weights = vec![0.0; dim];
    for _ in 0..50 {
        let (step, _) = newton(data, &weights);
        weights.iter_mut().zip(&step).for_each(|(w, s)| *w += s);
        if step.iter().all(|s| s.abs() < 1e-10) {
            break;
        }
    }
    let (_, covariance) = newton(data, &weights);
    (0..dim).map(|i| [weights[i], covariance[i * dim + i].sqrt()]).collect()
}

/// A step of Newton's method, and the inverse of the negative Hessian.
fn newton(data: &Data, weights: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let dim = weights.len();
    let mut gradient: Vec<f64> = weights.iter().map(|w| -w / (PRIOR * PRIOR)).collect();
    let mut curvature = vec![0.0; dim * dim];
    (0..dim).for_each(|i| curvature[i * dim + i] = 1.0 / (PRIOR * PRIOR));
    for (x, y) in data.x.iter().zip(&data.y) {
        let row: Vec<f64> = std::iter::once(1.0).chain(x.iter().copied()).collect();
        let logit: f64 = row.iter().zip(weights).map(|(x, w)| x * w).sum();
        let p = 1.0 / (1.0 + (-logit).exp());
        for i in 0..dim {
            gradient[i] += (y - p) * row[i];
            (0..dim).for_each(|j| curvature[i * dim + j] += p * (1.0 - p) * row[i] * row[j]);
        }
    }
    let inverse: Table = Table::from_vec(curvature, (dim, dim)).matrix_inverse();
    let step = inverse.matvec(&Rows::vector(gradient)).to_vec();
    (step, inverse.to_vec())
}

fn run(options: &Options) -> Result<Value, Box<dyn Error>> {
    let data = options.data.as_deref().map_or_else(|| Ok(simulated()), read)?;
    let x = Table::from_vec(data.x.concat(), (data.x.len(), data.x[0].len()));
    let y = Rows::vector(data.y.clone());
    let mut mcmc = Mcmc::new(logistic_regression, (&x, &y), NutsOptions::default(), options.sampling.options())?;
    mcmc.run()?;
    let draws = mcmc.into_draws();
    let figures = options.sampling.report(&draws, &["intercept", "weights"])?;
    let known = normal_approximation(&data);
    let names = std::iter::once("intercept".to_owned()).chain((0..known.len() - 1).map(|i| format!("weights[{i}]")));
    // Of a table that was given, nothing is known.
    let means = names.zip(known).map(|(name, known)| match &options.data {
        None => check_mean(&draws, &name, known),
        Some(_) => check_mean(&draws, &name, [known[0], f64::INFINITY]),
    });
    let means = means.collect::<Result<Vec<f64>, _>>()?;
    Ok(json!({
        "example": "logistic_regression", "rows": data.y.len(), "intercept": means[0], "weights": means[1..],
        "r_hat_max": figures.r_hat_max, "ess_bulk_min": figures.ess_bulk_min, "divergences": figures.divergences,
        "seed": figures.seed,
    }))
}

fn main() -> ExitCode {
    ppl::memory::keep_freed_buffers();
    sampling::end("logistic_regression", run(&Options::parse()))
}
