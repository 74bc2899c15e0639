//! Every autoguide of one family on one small logistic regression, beside the exact posterior. `cargo run --release --example logistic_autoguides`
//!
//! Two weights and forty rows whose covariates are correlated, so that the weights are too. Known: mean and standard deviation of
//! each weight by quadrature on a grid. Mean-field guides make standard deviations too small, by as much as the correlation says.
//! The last line on stdout is one JSON object.

#[path = "sampling/mod.rs"]
mod sampling;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use ppl::infer::autoguide::{AutoGuide, Conditional, Covariance, Family, Gaussian, LowRank, Named, Structured};
use ppl::infer::optim::Schedule;
use ppl::infer::{
    Adam, AutoDelta, AutoDiagonalNormal, AutoIafNormal, AutoLaplaceApproximation, AutoLowRankMultivariateNormal,
    AutoMultivariateNormal, AutoNormal, AutoStructured, RunOptions, Svi, TraceElbo,
};
use ppl::prelude64::*;
use ppl::rng::Rng;
use rand::Rng as _;
use rand_distr::StandardNormal;
use serde_json::{Value, json};

type Weights = Tensor<Rank1<2>>;
type Rows = Tensor<(usize,)>;
type Table = Tensor<(usize, Const<2>)>;

const ROWS: usize = 40;
const PRIOR: f64 = 2.0;

#[model]
fn logistic(x: &Table, y: &Rows) {
    let weights: Weights = sample!("weights", Normal::new(Weights::zeros(), PRIOR).to_event::<Axis<0>>());
    plate!("rows", ROWS, |_| {
        sample!("y", Bernoulli::from_logits(x.matmul(&weights)), obs = y);
    });
}

/// Autoguides of a logistic regression.
#[derive(Clone, Debug, Parser)]
struct Options {
    /// Steps of each fit
    #[arg(long, default_value_t = 3000)]
    steps: u64,

    /// The seed of the rows and of the fits
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

struct Data {
    x: Vec<[f64; 2]>,
    y: Vec<f64>,
    table: Table,
    rows: Rows,
}

/// Covariates with a correlation of 0.8, and outcomes by the weights 1 and −0.5.
fn simulated(seed: u64) -> Data {
    let mut rng = Rng::named(seed, "rows of logistic_autoguides");
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for _ in 0..ROWS {
        let (a, b): (f64, f64) = (rng.sample(StandardNormal), rng.sample(StandardNormal));
        let row = [a, 0.8 * a + 0.6 * b];
        let p = 1.0 / (1.0 + (-(row[0] - 0.5 * row[1])).exp());
        y.push(f64::from(u8::from(rng.gen_range(0.0..1.0) < p)));
        x.push(row);
    }
    let (table, rows) = (Table::from_vec(x.concat(), (ROWS, Const)), Rows::vector(y.clone()));
    Data { x, y, table, rows }
}

/// Means and standard deviations.
#[derive(Clone, Copy, Debug)]
struct Moments {
    mean: [f64; 2],
    sd: [f64; 2],
}

impl Moments {
    /// Of weighed points.
    fn of(points: impl Iterator<Item = ([f64; 2], f64)> + Clone) -> Self {
        let total: f64 = points.clone().map(|(_, w)| w).sum();
        let average = |f: &dyn Fn([f64; 2]) -> f64| points.clone().map(|(x, w)| f(x) * w).sum::<f64>() / total;
        let mean = [0, 1].map(|i| average(&|x| x[i]));
        Moments { mean, sd: [0, 1].map(|i| average(&|x| (x[i] - mean[i]).powi(2)).sqrt()) }
    }

    fn of_normal(normal: &Gaussian) -> Self {
        Moments { mean: [normal.loc[0], normal.loc[1]], sd: [normal.scale()[0], normal.scale()[1]] }
    }
}

/// The posterior by a grid of 401 × 401 points, far into the tails, and the log-evidence: sums of smooth functions that vanish at
/// the edges err by less than any power of the step.
fn quadrature(data: &Data) -> (Moments, f64) {
    let (points, width) = (401, 8.0);
    let step = 2.0 * width / f64::from(points - 1);
    let place = |i: i32| -width + step * f64::from(i);
    let log_joint = |w: [f64; 2]| {
        let prior = -0.5 * (w[0] * w[0] + w[1] * w[1]) / (PRIOR * PRIOR) - (PRIOR * PRIOR * std::f64::consts::TAU).ln();
        let rows = data.x.iter().zip(&data.y).map(|(x, y)| {
            let logit = x[0] * w[0] + x[1] * w[1];
            y * logit - logit.max(0.0) - (-logit.abs()).exp().ln_1p()
        });
        prior + rows.sum::<f64>()
    };
    let grid: Vec<([f64; 2], f64)> = (0..points * points)
        .map(|at| {
            let w = [place(at / points), place(at % points)];
            (w, log_joint(w))
        })
        .collect();
    let highest = grid.iter().map(|(_, l)| *l).fold(f64::NEG_INFINITY, f64::max);
    let moments = Moments::of(grid.iter().map(|&(w, l)| (w, (l - highest).exp())));
    let evidence = highest + (grid.iter().map(|(_, l)| (l - highest).exp()).sum::<f64>() * step * step).ln();
    (moments, evidence)
}

/// A fitted guide: its parameters and its ELBO.
fn fit<F>(
    guide: &AutoGuide<logistic, F, f64>,
    data: &Data,
    options: &Options,
) -> Result<(ParamStore<f64, Cpu>, f64), Box<dyn Error>>
where
    F: Family<f64, Cpu> + Named + Clone,
{
    let adam = Adam::new(0.05).schedule(Schedule::Cosine { warmup: 0, steps: options.steps, floor: 1e-3 });
    let mut svi = Svi::new(logistic, guide.clone(), adam, TraceElbo::with_particles(8)).seed(options.seed);
    svi.run(RunOptions::steps(options.steps), (&data.table, &data.rows))?;
    let elbo = -svi.estimate((&data.table, &data.rows), 300)?.mean;
    Ok((svi.into_params(), elbo))
}

/// What a guide found, and how far it may be from the posterior: means in standard deviations, standard deviations as
/// ratios.
struct Row {
    name: &'static str,
    moments: Option<Moments>,
    mean: [f64; 2],
    elbo: Option<f64>,
    mean_within: f64,
    sd_ratios: [f64; 2],
}

/// The rows of the families of normal distributions.
fn normal<F: Covariance<f64, Cpu> + Named + Clone>(
    guide: &AutoGuide<logistic, F, f64>,
    data: &Data,
    options: &Options,
    sd_ratios: [f64; 2],
) -> Result<Row, Box<dyn Error>> {
    let (params, elbo) = fit(guide, data, options)?;
    let moments = Moments::of_normal(&guide.posterior(&params));
    Ok(Row { name: F::NAME, moments: Some(moments), mean: moments.mean, elbo: Some(elbo), mean_within: 0.2, sd_ratios })
}

fn rows(data: &Data, options: &Options) -> Result<Vec<Row>, Box<dyn Error>> {
    let args = || (&data.table, &data.rows);
    // Mean field: the sd of each weight given the other, √(1 − ρ²) of the whole.
    let (narrow, whole) = ([0.4, 0.9], [0.9, 1.1]);
    let mut rows = vec![
        normal(&AutoNormal::new(logistic, args())?, data, options, narrow)?,
        normal(&AutoDiagonalNormal::new(logistic, args())?, data, options, narrow)?,
        normal(&AutoMultivariateNormal::new(logistic, args())?, data, options, whole)?,
    ];
    let low: AutoLowRankMultivariateNormal<_, f64> =
        AutoGuide::of(logistic, LowRank { rank: Some(1), ..LowRank::default() }, args())?;
    rows.push(normal(&low, data, options, whole)?);
    // The weights are one site: their dependence is that of its numbers.
    let structure = Structured::new(Conditional::MultivariateNormal);
    rows.push(normal(&AutoStructured::new(logistic, structure, args())?, data, options, whole)?);

    let delta = AutoDelta::new(logistic, args())?;
    let (params, _) = fit(&delta, data, options)?;
    let mode = delta.median(&params, args())?.weights.value.to_vec();
    let point = Row {
        name: "AutoDelta",
        moments: None,
        mean: [mode[0], mode[1]],
        elbo: None,
        mean_within: 0.3,
        sd_ratios: whole,
    };
    rows.push(point);

    let laplace = AutoLaplaceApproximation::new(logistic, args())?;
    let (params, _) = fit(&laplace, data, options)?;
    let moments = Moments::of_normal(&laplace.laplace(&params, args())?);
    let name = "AutoLaplaceApproximation";
    // The mode is not the mean: the posterior is skewed.
    rows.push(Row {
        name,
        moments: Some(moments),
        mean: moments.mean,
        elbo: None,
        mean_within: 0.3,
        sd_ratios: [0.85, 1.1],
    });

    let flow = AutoIafNormal::<_, f64, Cpu>::new(logistic, args())?;
    let (params, elbo) = fit(&flow, data, options)?;
    let draws = flow.draws(&params, args(), 4000, options.seed)?;
    let points: Vec<[f64; 2]> = draws.iter().map(|draw| draw.weights.value.to_vec()).map(|w| [w[0], w[1]]).collect();
    let moments = Moments::of(points.iter().map(|&w| (w, 1.0)));
    rows.push(Row {
        name: "AutoIafNormal",
        moments: Some(moments),
        mean: moments.mean,
        elbo: Some(elbo),
        mean_within: 0.2,
        sd_ratios: whole,
    });
    Ok(rows)
}

fn run(options: &Options) -> Result<Value, Box<dyn Error>> {
    let data = simulated(options.seed);
    let (exact, evidence) = quadrature(&data);
    let rows = rows(&data, options)?;
    println!("{:<30} {:>16} {:>16} {:>9}", "", "means", "sds", "ELBO");
    println!(
        "{:<30} {:>7.3} {:>8.3} {:>7.3} {:>8.3} {evidence:>9.3}",
        "quadrature", exact.mean[0], exact.mean[1], exact.sd[0], exact.sd[1]
    );
    let mut problems = Vec::new();
    let mut summary = serde_json::Map::new();
    for row in &rows {
        let sds = row.moments.map_or([f64::NAN; 2], |m| m.sd);
        let elbo = row.elbo.map_or("-".to_owned(), |elbo| format!("{elbo:.3}"));
        println!(
            "{:<30} {:>7.3} {:>8.3} {:>7.3} {:>8.3} {elbo:>9}",
            row.name, row.mean[0], row.mean[1], sds[0], sds[1]
        );
        for (i, sd) in sds.into_iter().enumerate() {
            let off = (row.mean[i] - exact.mean[i]).abs() / exact.sd[i];
            if off > row.mean_within {
                problems.push(format!("{}: mean {i} is off by {off:.3} standard deviations", row.name));
            }
            let ratio = sd / exact.sd[i];
            if row.moments.is_some() && !(row.sd_ratios[0]..=row.sd_ratios[1]).contains(&ratio) {
                problems.push(format!("{}: standard deviation {i} is {ratio:.3} of the exact one", row.name));
            }
        }
        if row.elbo.is_some_and(|elbo| elbo > evidence + 0.05) {
            problems.push(format!("{}: its ELBO is above the log-evidence {evidence:.3}", row.name));
        }
        summary.insert(
            row.name.to_owned(),
            json!({ "mean": row.mean, "sd": row.moments.map(|m| m.sd), "elbo": row.elbo }),
        );
    }
    if !problems.is_empty() {
        return Err(problems.join("; ").into());
    }
    Ok(json!({
        "example": "logistic_autoguides", "mean": exact.mean, "sd": exact.sd, "log_evidence": evidence, "guides": summary,
        "seed": options.seed,
    }))
}

fn main() -> ExitCode {
    ppl::memory::keep_freed_buffers();
    sampling::end("logistic_autoguides", run(&Options::parse()))
}
