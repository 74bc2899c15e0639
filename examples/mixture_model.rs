//! A mixture of two normals whose assignments are summed out, by an autoguide. `cargo run --release --example mixture_model`
//!
//! Each datum comes from one of two components. Its assignment is a discrete site that is enumerated: the objective sums over both
//! values, and the guide has the means alone. Known: the posterior of the two means by quadrature on a grid. Afterwards the most
//! probable assignment of each datum is found, given the means. The last line on stdout is one JSON object.

#[path = "sampling/mod.rs"]
mod sampling;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use ppl::distribution::Expand;
use ppl::infer::autoguide::{AutoGuide, Full};
use ppl::infer::optim::Schedule;
use ppl::infer::{Adam, AutoMultivariateNormal, InferDiscrete, InitStrategy, RunOptions, Svi, TraceEnumElbo};
use ppl::prelude64::*;
use ppl::rng::Rng;
use rand::Rng as _;
use rand_distr::StandardNormal;
use serde_json::{Value, json};

const ROWS: usize = 60;
type Pair = Tensor<Rank1<2>>;
type Rows = Tensor<Rank1<ROWS>>;

const WEIGHTS: [f64; 2] = [0.4, 0.6];
const SCALE: f64 = 1.0;
/// The centres and the width of the priors of the means.
const PRIORS: [f64; 2] = [-1.0, 1.0];
const WIDTH: f64 = 2.0;
const TRUTH: [f64; 2] = [-1.8, 2.0];

#[model]
fn mixture_model(data: &Rows) {
    let means: Pair = plate!("components", 2, |_| sample!("means", Normal::new(Tensor::from(PRIORS), WIDTH)));
    plate!("rows", ROWS, |_| {
        let weights = Categorical::new(Pair::from(WEIGHTS)).expand(Rank2::<ROWS, 2>::default());
        let z: Tensor<Rank1<ROWS>, usize> = sample!("z", weights, enumerate);
        sample!("y", Normal::new(means.gather::<Rank1<ROWS>>(&z.to_vec()), SCALE), obs = data);
    });
}

/// A mixture of two normals by variational inference.
#[derive(Clone, Debug, Parser)]
struct Options {
    /// Steps of the fit
    #[arg(long, default_value_t = 3000)]
    steps: u64,

    /// The seed of the data and of the fit
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// The data, and which component each came from.
fn simulated(seed: u64) -> (Vec<f64>, Vec<usize>) {
    let mut rng = Rng::named(seed, "data of mixture_model");
    let mut datum = || {
        let component = usize::from(rng.gen_range(0.0..1.0) >= WEIGHTS[0]);
        (TRUTH[component] + SCALE * rng.sample::<f64, _>(StandardNormal), component)
    };
    (0..ROWS).map(|_| datum()).unzip()
}

/// ln of a weight times a density.
fn weighed(component: usize, mean: f64, y: f64) -> f64 {
    let z = (y - mean) / SCALE;
    WEIGHTS[component].ln() - 0.5 * z * z - SCALE.ln() - 0.5 * std::f64::consts::TAU.ln()
}

fn ln_sum(a: f64, b: f64) -> f64 {
    a.max(b) + (-(a - b).abs()).exp().ln_1p()
}

/// Means and standard deviations of the posterior on a grid of 301 × 301 points, and the log-evidence.
fn quadrature(data: &[f64]) -> ([f64; 2], [f64; 2], f64) {
    let (points, low, step) = (301, -4.5, 0.03);
    let log_joint = |m: [f64; 2]| {
        let prior = |k: usize| {
            let z = (m[k] - PRIORS[k]) / WIDTH;
            -0.5 * z * z - WIDTH.ln() - 0.5 * std::f64::consts::TAU.ln()
        };
        let rows = data.iter().map(|&y| ln_sum(weighed(0, m[0], y), weighed(1, m[1], y)));
        prior(0) + prior(1) + rows.sum::<f64>()
    };
    let place = |i: i32| low + step * f64::from(i);
    let grid: Vec<([f64; 2], f64)> = (0..points * points)
        .map(|at| {
            let m = [place(at / points), place(at % points)];
            (m, log_joint(m))
        })
        .collect();
    let highest = grid.iter().map(|(_, l)| *l).fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = grid.iter().map(|(_, l)| (l - highest).exp()).sum();
    let average =
        |f: &dyn Fn([f64; 2]) -> f64| grid.iter().map(|&(m, l)| f(m) * (l - highest).exp()).sum::<f64>() / total;
    let mean = [0, 1].map(|k| average(&|m| m[k]));
    let sd = [0, 1].map(|k| average(&|m| (m[k] - mean[k]).powi(2)).sqrt());
    (mean, sd, highest + (total * step * step).ln())
}

fn run(options: &Options) -> Result<Value, Box<dyn Error>> {
    let (data, truth) = simulated(options.seed);
    let (mean, sd, evidence) = quadrature(&data);
    let rows = Rows::from_vec(data.clone(), Rank1::default());
    // From a start among other labels the guide would stay with them: the other mode, of little mass, is there.
    let start = InitStrategy::Median(15);
    let guide: AutoMultivariateNormal<_, f64> =
        AutoGuide::beginning(mixture_model, Full::default(), &rows, &start, options.seed)?;
    let adam = Adam::new(0.05).schedule(Schedule::Cosine { warmup: 0, steps: options.steps, floor: 1e-3 });
    let mut svi = Svi::new(mixture_model, guide.clone(), adam, TraceEnumElbo::with_particles(4)).seed(options.seed);
    svi.run(RunOptions::steps(options.steps), &rows)?;
    let elbo = svi.estimate(&rows, 500)?;
    let found = guide.posterior(svi.params());
    println!("{:<10} {:>8} {:>8} {:>8} {:>8} {:>8}", "", "truth", "mean", "exact", "sd", "exact");
    for k in 0..2 {
        let (m, s) = (found.loc[k], found.scale()[k]);
        println!("means[{k}]   {:>8.3} {m:>8.3} {:>8.3} {s:>8.3} {:>8.3}", TRUTH[k], mean[k], sd[k]);
        if (m - mean[k]).abs() > 0.2 * sd[k] || (s / sd[k] - 1.0).abs() > 0.15 {
            return Err(
                format!("means[{k}] is {m:.3} ± {s:.3}, but by quadrature {:.3} ± {:.3}", mean[k], sd[k]).into()
            );
        }
    }
    println!("ELBO {:.3} ± {:.3}, log-evidence {evidence:.3}", -elbo.mean, elbo.standard_error);
    if -elbo.mean > evidence + 5.0 * elbo.standard_error + 1e-6 {
        return Err(format!("the ELBO {:.4} is above the log-evidence {evidence:.4}", -elbo.mean).into());
    }
    // Which component each datum most probably came from, at the guide's means.
    let means = guide.median(svi.params(), &rows)?.means.value;
    let values = MixtureModelValues { means: Some(means), ..MixtureModelValues::default() };
    let assigned =
        InferDiscrete::new(mixture_model.substitute(values), &rows, svi.params())?.most_probable()?.z.value.to_vec();
    let likelier = |y: f64| usize::from(weighed(1, found.loc[1], y) > weighed(0, found.loc[0], y));
    if let Some(row) = (0..ROWS).find(|&row| assigned[row] != likelier(data[row])) {
        return Err(format!("datum {row} was assigned to component {}, which is less probable", assigned[row]).into());
    }
    let right = assigned.iter().zip(&truth).filter(|(found, component)| found == component).count();
    println!("{right} of {ROWS} data are given the component that they came from");
    Ok(json!({
        "example": "mixture_model", "means": found.loc, "sds": found.scale(), "exact_means": mean, "exact_sds": sd,
        "elbo": -elbo.mean, "log_evidence": evidence, "right": right, "seed": options.seed,
    }))
}

fn main() -> ExitCode {
    ppl::memory::keep_freed_buffers();
    sampling::end("mixture_model", run(&Options::parse()))
}
