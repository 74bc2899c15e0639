//! A Bayesian neural network: priors over the weights of an ordinary network, its posterior by the no-U-turn sampler, predictive
//! intervals as a picture. `cargo run --release --example bnn [-- --out folder]`
//!
//! The data lie left and right of a gap. Known: nine of ten new data lie within an interval of 90 %, and the network is less sure in the
//! gap than beside it. The last line on stdout is one JSON object.

#[path = "sampling/mod.rs"]
mod sampling;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use plotters::prelude::*;
use ppl::infer::mcmc::NutsOptions;
use ppl::infer::{Draws, Mcmc, McmcOptions};
use ppl::nn::{Activation, Mlp};
use ppl::prelude64::*;
use ppl::rng::Rng;
use rand::Rng as _;
use rand_distr::StandardNormal;
use sampling::Sampling;
use serde_json::{Value, json};

type Column = Tensor<(usize, Const<1>)>;

/// The standard deviation of the noise in the data.
const NOISE: f64 = 0.1;
/// How many data are seen, and how many are held out.
const SEEN: usize = 40;
const HELD_OUT: usize = 100;
/// Where the gap is.
const GAP: [f64; 2] = [-0.6, 0.6];
/// The points at which the network's value is shown.
const GRID: usize = 81;

/// `net` has no prior here: `lift` gives it one.
#[model]
fn bnn(x: &Column, y: &Column, grid: &Column) {
    let net: Mlp<Const<1>, Const<1>, f64> = module!("net", |init| Mlp::new(init, Const, &[8], Const, Activation::Tanh));
    let noise: Tensor<()> = sample!("noise", LogNormal::new(-2.0, 0.5));
    deterministic!("mean", net.forward(grid));
    plate!("rows", x.shape().0, |_| {
        sample!("y", Normal::new(net.forward(x), noise).to_event::<Axis<1>>(), obs = y);
    });
}

/// A Bayesian neural network by NUTS.
#[derive(Clone, Debug, Parser)]
struct Options {
    #[command(flatten)]
    sampling: Sampling,
}

/// The function that the data scatter around.
fn truth(x: f64) -> f64 {
    (1.5 * x).sin() + 0.3 * x
}

fn column(numbers: &[f64]) -> Column {
    Column::from_vec(numbers.to_vec(), (numbers.len(), Const))
}

/// Data outside the gap, within [−2, 2].
fn simulated(rng: &mut Rng, count: usize) -> (Vec<f64>, Vec<f64>) {
    let mut datum = || {
        let side: f64 = if rng.gen_range(0.0..1.0) < 0.5 { -1.0 } else { 1.0 };
        let x = side * rng.gen_range(GAP[1]..2.0);
        (x, truth(x) + NOISE * rng.sample::<f64, _>(StandardNormal))
    };
    (0..count).map(|_| datum()).unzip()
}

/// Means of the network at some points and the noise, by draw.
struct Predictions {
    means: Vec<Vec<f64>>,
    noise: Vec<f64>,
}

impl Predictions {
    fn of(draws: &Draws) -> Result<Self, Box<dyn Error>> {
        let (means, noise) = (draws.variable("mean")?.range.clone(), draws.variable("noise")?.range.start);
        let rows = || draws.chains().iter().flat_map(|chain| chain.rows());
        Ok(Predictions {
            means: rows().map(|row| row[means.clone()].to_vec()).collect(),
            noise: rows().map(|row| row[noise]).collect(),
        })
    }

    /// The interval between these quantiles of new data at a point, with one draw of the noise for each draw.
    fn interval(&self, point: usize, rng: &mut Rng, probabilities: [f64; 2]) -> [f64; 2] {
        let mut data: Vec<f64> = (self.means.iter().zip(&self.noise))
            .map(|(means, noise)| means[point] + noise * rng.sample::<f64, _>(StandardNormal))
            .collect();
        data.sort_by(f64::total_cmp);
        probabilities.map(|p| data[((p * data.len() as f64) as usize).min(data.len() - 1)])
    }

    /// The mean of the network at a point, and its standard deviation.
    fn at(&self, point: usize) -> (f64, f64) {
        let n = self.means.len() as f64;
        let mean = self.means.iter().map(|means| means[point]).sum::<f64>() / n;
        let variance = self.means.iter().map(|means| (means[point] - mean).powi(2)).sum::<f64>() / (n - 1.0);
        (mean, variance.sqrt())
    }

    /// ln of the average density of a datum at a point.
    fn log_density(&self, point: usize, y: f64) -> f64 {
        let terms: Vec<f64> = (self.means.iter().zip(&self.noise))
            .map(|(means, noise)| {
                let z = (y - means[point]) / noise;
                -0.5 * z * z - noise.ln() - 0.5 * std::f64::consts::TAU.ln()
            })
            .collect();
        let highest = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        highest + (terms.iter().map(|t| (t - highest).exp()).sum::<f64>() / terms.len() as f64).ln()
    }
}

/// The band of intervals along the grid, the mean, the truth and the data.
fn draw(
    path: &Path,
    grid: &[f64],
    bands: &[[f64; 2]],
    means: &[f64],
    data: (&[f64], &[f64]),
) -> Result<(), Box<dyn Error>> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (840, 480)).into_drawing_area();
        root.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&root)
            .margin(12)
            .x_label_area_size(36)
            .y_label_area_size(44)
            .build_cartesian_2d(grid[0]..grid[grid.len() - 1], -2.5..2.5)?;
        chart.configure_mesh().disable_mesh().x_desc("x").y_desc("y").draw()?;
        let blue = RGBColor(31, 95, 166);
        let clamp = |y: f64| y.clamp(-2.5, 2.5);
        let upper = grid.iter().zip(bands).map(|(&x, band)| (x, clamp(band[1])));
        let lower = grid.iter().zip(bands).rev().map(|(&x, band)| (x, clamp(band[0])));
        chart.draw_series([Polygon::new(upper.chain(lower).collect::<Vec<_>>(), blue.mix(0.2).filled())])?;
        chart.draw_series(LineSeries::new(
            grid.iter().copied().zip(means.iter().map(|&m| clamp(m))),
            blue.stroke_width(2),
        ))?;
        let true_line = grid.iter().map(|&x| (x, truth(x)));
        chart.draw_series(LineSeries::new(true_line, RGBColor(208, 84, 24)))?;
        chart.draw_series(data.0.iter().zip(data.1).map(|(&x, &y)| Circle::new((x, y), 3, BLACK.filled())))?;
        root.present()?;
    }
    std::fs::write(path, svg).map_err(|error| format!("{}: {error}", path.display()).into())
}

fn run(options: &Options) -> Result<Value, Box<dyn Error>> {
    let mut rng = Rng::named(options.sampling.seed, "data of bnn");
    let (x, y) = simulated(&mut rng, SEEN);
    let (new_x, new_y) = simulated(&mut rng, HELD_OUT);
    let grid: Vec<f64> = (0..GRID).map(|i| -2.0 + 4.0 * i as f64 / (GRID - 1) as f64).collect();
    // The grid first, then the data that are held out.
    let points = column(&[&grid[..], &new_x].concat());

    let model = bnn.lift(Lift::new().normal("net.*", 1.2));
    let (x_column, y_column) = (column(&x), column(&y));
    // The posterior of a network is curved: smaller steps than by default.
    let chains = McmcOptions { target_accept: 0.9, ..options.sampling.options() };
    let mut mcmc = Mcmc::new(model, (&x_column, &y_column, &points), NutsOptions::default(), chains)?;
    mcmc.run()?;
    let draws = mcmc.into_draws();
    // Hidden units have no order, so that single weights mix between their permutations; the network's values do not.
    let figures = options.sampling.report(&draws, &["noise"])?;
    let predictions = Predictions::of(&draws)?;

    let bands: Vec<[f64; 2]> = (0..GRID).map(|i| predictions.interval(i, &mut rng, [0.05, 0.95])).collect();
    let inside = (0..HELD_OUT)
        .filter(|&i| {
            let [low, high] = predictions.interval(GRID + i, &mut rng, [0.05, 0.95]);
            (low..=high).contains(&new_y[i])
        })
        .count();
    let log_density = (0..HELD_OUT).map(|i| predictions.log_density(GRID + i, new_y[i])).sum::<f64>() / HELD_OUT as f64;
    let spread = |from: f64, to: f64| {
        let within: Vec<f64> =
            (0..GRID).filter(|&i| (from..=to).contains(&grid[i])).map(|i| predictions.at(i).1).collect();
        within.iter().sum::<f64>() / within.len() as f64
    };
    let (gap, beside) = (spread(-0.3, 0.3), spread(0.8, 1.8));
    println!(
        "{inside} of {HELD_OUT} new data within 90 % intervals; log-density of one {log_density:.3} (of the truth {:.3})",
        ideal()
    );
    println!("standard deviation of the network: {gap:.3} in the gap, {beside:.3} beside it");
    if let Some(folder) = &options.sampling.out {
        let means: Vec<f64> = (0..GRID).map(|i| predictions.at(i).0).collect();
        draw(&folder.join("bnn.svg"), &grid, &bands, &means, (&x, &y))?;
    }
    // 90 of 100 with a standard deviation of 3, and what the posterior of a network of forty data may miss.
    if !(80..=100).contains(&inside) || log_density < ideal() - 0.3 || gap < 1.3 * beside {
        return Err("the intervals do not hold, the density of new data is too low, or the gap is not seen".into());
    }
    Ok(json!({
        "example": "bnn", "inside": inside, "held_out": HELD_OUT, "log_density": log_density, "sd_gap": gap,
        "sd_beside": beside, "divergences": figures.divergences, "seed": figures.seed,
    }))
}

/// The average log-density of a datum under the truth: that of noise.
fn ideal() -> f64 {
    -0.5 - NOISE.ln() - 0.5 * std::f64::consts::TAU.ln()
}

fn main() -> ExitCode {
    ppl::memory::keep_freed_buffers();
    sampling::end("bnn", run(&Options::parse()))
}
