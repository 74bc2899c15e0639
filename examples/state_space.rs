//! States in time by sequential Monte Carlo: a linear model, with and without a guide, and the growth model that made
//! particle filters known, whose states are seen through their squares. `cargo run --release --example state_space`
//!
//! Known: the log-evidence of the linear model by its Kalman filter, that of the other by a filter on a fine grid. The last
//! line on stdout is one JSON object.

#[path = "sampling/mod.rs"]
mod sampling;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use ppl::infer::SmcFilter;
use ppl::infer::monte_carlo::{Estimate, StateSpace, Weights};
use ppl::prelude64::*;
use serde_json::{Value, json};

type Scalar = Tensor<()>;

/// What a state keeps of the one before it.
const KEPT: f64 = 0.9;
/// The deviation of a state from what is kept.
const MOVE: f64 = 0.5;
/// The deviation of a datum from its state.
const NOISE: f64 = 0.7;

#[model]
fn begin(y: Option<f64>) -> Scalar {
    let x: Scalar = sample!("x", Normal::new(0.0, 1.0));
    sample!("y": Scalar, Normal::new(&x, NOISE), obs = y.map(Scalar::scalar));
    x
}

#[model]
fn go_on(before: &Scalar, _time: usize, y: Option<f64>) -> Scalar {
    let x: Scalar = sample!("x", Normal::new(before * KEPT, MOVE));
    sample!("y": Scalar, Normal::new(&x, NOISE), obs = y.map(Scalar::scalar));
    x
}

/// The posterior of a first state, given its datum.
#[guide(begin)]
fn begin_guide(y: Option<f64>) {
    let (precision, pull) = seen(y);
    let variance = (1.0 + precision).recip();
    sample!("x", Normal::new(variance * pull, variance.sqrt()));
}

/// The posterior of a state, given the one before it and its datum.
#[guide(go_on)]
fn go_on_guide(before: &Scalar, _time: usize, y: Option<f64>) {
    let (precision, pull) = seen(y);
    let variance = (MOVE.powi(-2) + precision).recip();
    sample!("x", Normal::new((before * (KEPT * MOVE.powi(-2)) + pull) * variance, variance.sqrt()));
}

/// What a datum adds to the precision of its state, and to precision times mean.
fn seen(y: Option<f64>) -> (f64, f64) {
    y.map_or((0.0, 0.0), |y| (NOISE.powi(-2), y * NOISE.powi(-2)))
}

/// The variance of a growth.
const GROWTH: f64 = 10.0;

/// Where a growth leads on average: Gordon, Salmond and Smith, *Novel Approach to Nonlinear/Non-Gaussian Bayesian State
/// Estimation* (1993).
fn grown(x: f64, time: usize) -> f64 {
    0.5 * x + 25.0 * x / (1.0 + x * x) + 8.0 * (1.2 * time as f64).cos()
}

#[model]
fn sown(y: Option<f64>) -> Scalar {
    let x: Scalar = sample!("x", Normal::new(0.0, 2.0));
    sample!("y": Scalar, Normal::new(x.square() / 20.0, 1.0), obs = y.map(Scalar::scalar));
    x
}

#[model]
fn grow(before: &Scalar, time: usize, y: Option<f64>) -> Scalar {
    let x: Scalar = sample!("x", Normal::new(grown(before.item(), time), GROWTH.sqrt()));
    sample!("y": Scalar, Normal::new(x.square() / 20.0, 1.0), obs = y.map(Scalar::scalar));
    x
}

/// Data that a model makes: its own statements without observations.
fn simulated<I, S>(init: &I, step: &S, times: usize, seed: u64) -> Result<Vec<Option<f64>>, ppl::Error>
where
    I: Model<(Option<f64>,), E = f64, D = Cpu, Output = Scalar>,
    S: for<'x> Model<(&'x Scalar, usize, Option<f64>), E = f64, D = Cpu, Output = Scalar>,
{
    let (mut state, run) = trace(init, (None,), seed)?;
    let datum = |run: &Trace<f64, Cpu>| run.value::<Scalar>("y").map(|y| y.item());
    let mut data = vec![datum(&run)];
    for time in 1..times {
        let (next, run) = trace(step, (&state, time, None), seed + time as u64)?;
        data.push(datum(&run));
        state = next;
    }
    Ok(data)
}

fn normal(x: f64, mean: f64, sd: f64) -> f64 {
    -0.5 * ((x - mean) / sd).powi(2) - sd.ln() - 0.5 * std::f64::consts::TAU.ln()
}

/// The log-evidence of the linear model.
fn kalman(data: &[f64]) -> f64 {
    let (mut total, mut mean, mut variance) = (0.0, 0.0, 1.0);
    for (time, &y) in data.iter().enumerate() {
        if time > 0 {
            (mean, variance) = (KEPT * mean, KEPT * KEPT * variance + MOVE * MOVE);
        }
        total += normal(y, mean, f64::hypot(variance.sqrt(), NOISE));
        let gain = variance / (variance + NOISE * NOISE);
        (mean, variance) = (mean + gain * (y - mean), (1.0 - gain) * variance);
    }
    total
}

/// The log-evidence of the growth model by sums over a grid, which are exact to rounding for densities as smooth as these,
/// and the mean of the last state's size.
fn by_grid(data: &[f64]) -> (f64, f64) {
    const POINTS: i32 = 800;
    const REACH: f64 = 55.0;
    let width = 2.0 * REACH / f64::from(POINTS);
    let grid: Vec<f64> = (0..=POINTS).map(|i| f64::from(i) * width - REACH).collect();
    let (mut total, mut size) = (0.0, 0.0);
    let mut density: Vec<f64> = Vec::new();
    for (time, &y) in data.iter().enumerate() {
        let predicted = |&x: &f64| {
            if time == 0 {
                return normal(x, 0.0, 2.0).exp();
            }
            let moved = grid.iter().zip(&density).filter(|(_, p)| **p > 1e-30);
            width * moved.map(|(&from, p)| p * normal(x, grown(from, time), GROWTH.sqrt()).exp()).sum::<f64>()
        };
        let joint: Vec<f64> = grid.iter().map(|x| predicted(x) * normal(y, x * x / 20.0, 1.0).exp()).collect();
        let evidence = width * joint.iter().sum::<f64>();
        total += evidence.ln();
        density = joint.into_iter().map(|p| p / evidence).collect();
        size = width * grid.iter().zip(&density).map(|(x, p)| x.abs() * p).sum::<f64>();
    }
    (total, size)
}

/// States in time by particles.
#[derive(Clone, Debug, Parser)]
struct Options {
    /// Particles of each filter
    #[arg(long, default_value_t = 1000)]
    particles: usize,

    /// Filters of each model, which differ in their seeds
    #[arg(long, default_value_t = 30)]
    filters: u64,

    /// Times of each model
    #[arg(long, default_value_t = 50)]
    times: usize,

    /// Seed of all randomness
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

impl Options {
    /// The log-evidence of several filters together, which is that of their mean evidence, and the mean size of the last
    /// state.
    ///
    /// # Errors
    /// Of the filters; one that is more than three standard errors from `known`.
    fn filtered<S>(
        &self,
        what: &str,
        filter: &SmcFilter<S, f64, Cpu>,
        data: &[Option<f64>],
        known: f64,
    ) -> Result<(Estimate, f64), Box<dyn Error>>
    where
        S: StateSpace<Scalar, Option<f64>, f64, Cpu> + Clone,
    {
        let (mut each, mut size) = (Vec::new(), 0.0);
        for number in 0..self.filters {
            let filter = filter.clone().particles(self.particles).seed(self.seed + number);
            let found = filter.run(data)?;
            each.push(found.log_evidence());
            let last = found.generations().last().ok_or("there are no times")?;
            size += last.mean(|x| x.item().abs()).mean / self.filters as f64;
        }
        let found = Weights::new(each).ok_or("no filter has an evidence")?.log_mean();
        eprintln!("{what}: a log-evidence of {:.3} ± {:.3}, known to be {known:.3}", found.mean, found.standard_error);
        if (found.mean - known).abs() > 3.0 * found.standard_error {
            return Err(format!("{what}: the log-evidence is {found:?}, but is known to be {known}").into());
        }
        Ok((found, size))
    }
}

fn run(options: &Options) -> Result<Value, Box<dyn Error>> {
    if options.times == 0 || options.filters < 2 {
        return Err("--times must be at least 1, and --filters at least 2".into());
    }
    let data = simulated(&begin, &go_on, options.times, options.seed)?;
    let exact = kalman(&data.iter().copied().flatten().collect::<Vec<_>>());
    let plain = SmcFilter::new(begin, go_on);
    let (linear, _) = options.filtered("linear", &plain, &data, exact)?;
    let guides = plain.with_guides(begin_guide, go_on_guide);
    let (guided, _) = options.filtered("linear, with guides", &guides, &data, exact)?;

    let data = simulated(&sown, &grow, options.times, options.seed)?;
    let (grid, grid_size) = by_grid(&data.iter().copied().flatten().collect::<Vec<_>>());
    let (growth, size) = options.filtered("growth", &SmcFilter::new(sown, grow), &data, grid)?;
    // The size of a state has a deviation of about 1, and a mean of particles the error of a hundredth of that.
    if (size - grid_size).abs() > 0.2 {
        return Err(format!("growth: the last state's size is {size:.3}, but is known to be {grid_size:.3}").into());
    }
    Ok(json!({
        "example": "state_space", "kalman": exact,
        "linear": linear.mean, "linear_error": linear.standard_error,
        "guided": guided.mean, "guided_error": guided.standard_error,
        "grid": grid, "growth": growth.mean, "growth_error": growth.standard_error,
        "size": size, "size_by_grid": grid_size, "seed": options.seed,
    }))
}

fn main() -> ExitCode {
    ppl::memory::keep_freed_buffers();
    sampling::end("state_space", run(&Options::parse()))
}
