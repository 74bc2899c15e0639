//! What NUTS costs on the six reference models: microseconds a gradient, of the density alone and of the whole sampler, and
//! effective draws a second; one JSON line a run. `benches/compare_nuts.py` puts NumPyro beside it.
//!
//! `cargo bench --bench nuts -- [MODEL..] [--f32] [--variances] [--stan] [--peer] [--seeds N] [--gradients N] [--draws N]`; `--peer` adds
//! `nuts-rs` on the same density, `--variances` gives ours the metric of draws' variances, `--stan` Stan's schedule of warm-up, `--seeds` only
//! counts gradients beside those of `nuts-rs`, and `--gradients` only evaluates the density, for profilers.

use std::time::Instant;

use ppl::backend::Backend;
use ppl::infer::mcmc::{Adaptation, MetricShape, NutsOptions, WarmupOptions};
use ppl::infer::{LogDensity, Mcmc, McmcOptions, ModelDensity};
use ppl::model::Model;
use ppl::{Cpu, Dtype};
use serde_json::json;

#[path = "../tests/models/mod.rs"]
mod models;

// A density that counts its evaluations.
#[path = "nuts/counted.rs"]
mod counted;
// Four chains by our sampler.
#[path = "nuts/sampler.rs"]
mod sampler;
// Four chains by nuts-rs.
#[path = "nuts/peer.rs"]
mod peer;
// Effective sizes of draws.
#[path = "nuts/figures.rs"]
mod figures;
// Effective sizes a gradient beside nuts-rs, over seeds.
#[path = "nuts/ratio.rs"]
mod ratio;

use models::{Task, with};

/// Chains, and the iterations of warm-up, of a run.
const CHAINS: u64 = 4;
const WARMUP: usize = 1000;

/// What the command line asks for.
#[derive(Clone)]
struct Options {
    models: Vec<String>,
    single: bool,
    metric: MetricShape,
    adaptation: Adaptation,
    peer: bool,
    gradients: Option<usize>,
    draws: usize,
    seeds: Option<u64>,
}

impl Options {
    fn warmup(&self) -> WarmupOptions {
        let schedule = self.adaptation.schedule(WARMUP);
        WarmupOptions { schedule, metric: self.metric.clone(), ..WarmupOptions::default() }
    }
}

fn options() -> Options {
    let McmcOptions { metric, adaptation, .. } = McmcOptions::default();
    let mut options = Options {
        models: Vec::new(),
        single: false,
        metric,
        adaptation,
        peer: false,
        gradients: None,
        draws: 1000,
        seeds: None,
    };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut number = || args.next().and_then(|n| n.parse().ok()).expect("a number behind the option");
        match arg.as_str() {
            "--bench" => {}
            "--f32" => options.single = true,
            "--variances" => options.metric = MetricShape::Diagonal,
            "--stan" => options.adaptation = Adaptation::Stan,
            "--peer" => options.peer = true,
            "--gradients" => options.gradients = Some(number()),
            "--seeds" => options.seeds = Some(number() as u64),
            "--draws" => options.draws = number(),
            name => options.models.push(name.to_owned()),
        }
    }
    if options.models.is_empty() {
        options.models = models::NAMES.map(str::to_owned).to_vec();
    }
    options
}

/// Measures one model.
struct Measure<'a> {
    name: &'a str,
    options: &'a Options,
}

impl<E: Dtype> Task<E> for Measure<'_>
where
    Cpu: Backend<E>,
{
    type Output = ();

    fn run<M, A>(self, mut density: ModelDensity<M, A, E, Cpu>)
    where
        M: Model<A, E = E, D = Cpu> + Clone + Send,
        A: Clone + Send,
    {
        if let Some(seeds) = self.options.seeds {
            let line = ratio::measured(&mut density, self.options, seeds);
            return println!("{}", json!({ "model": self.name, "dtype": E::NAME, "seeds": seeds, "figures": line }));
        }
        let evaluations = self.options.gradients.unwrap_or(2000);
        let evaluate = microseconds_of(&mut density, evaluations);
        let mut line = json!({
            "peer": "ppl", "model": self.name, "dtype": E::NAME, "dim": density.dim(), "us_per_evaluate": evaluate,
        });
        if self.options.gradients.is_none() {
            let run = sampler::run(&mut density, self.options.draws, &self.options.warmup(), 0);
            run.report(&mut density, &mut line);
            as_users_run_it(&density, self.options, &mut line);
        }
        println!("{line}");
        if self.options.peer && self.options.gradients.is_none() {
            let mut line = json!({ "peer": "nuts-rs", "model": self.name, "dtype": "f64", "dim": density.dim() });
            let run = peer::run(&mut density, self.options.draws, 0);
            run.report(&mut density, &mut line);
            println!("{line}");
        }
    }
}

/// Chains side by side on the machine's threads, with draws by name: wall time, and effective draws in a second of it.
fn as_users_run_it<M, A, E>(density: &ModelDensity<M, A, E, Cpu>, options: &Options, line: &mut serde_json::Value)
where
    M: Model<A, E = E, D = Cpu> + Clone + Send,
    A: Clone + Send,
    E: Dtype,
    Cpu: Backend<E>,
{
    let (draws, metric) = (options.draws, options.metric.clone());
    let start = Instant::now();
    let mcmc_options =
        McmcOptions { warmup: WARMUP, draws, metric, adaptation: options.adaptation, ..McmcOptions::default() };
    let mut mcmc = Mcmc::of_target(density, NutsOptions::default(), mcmc_options).expect("a place to begin");
    mcmc.run().expect("a sound model");
    let seconds = start.elapsed().as_secs_f64();
    let summary = mcmc.draws().summary().expect("draws");
    let least = summary.rows.iter().map(|row| row.ess_bulk).fold(f64::INFINITY, f64::min);
    line["mcmc_s"] = json!(seconds);
    line["mcmc_ess_per_s"] = json!(least / seconds);
}

/// The mean time of an evaluation, at positions that are not all the same.
fn microseconds_of<E: Dtype>(density: &mut impl LogDensity<E>, evaluations: usize) -> f64 {
    let dim = density.dim();
    let positions = [0, 1, 2].map(|k| (0..dim).map(|i| E::of(0.3 * (1.3 * (i + k) as f64).sin())).collect::<Vec<E>>());
    let mut gradient = vec![E::of(0.0); dim];
    let start = Instant::now();
    for at in 0..evaluations {
        let value = density.evaluate(&positions[at % positions.len()], &mut gradient).expect("a sound model");
        assert!(value.is_finite());
    }
    start.elapsed().as_secs_f64() * 1e6 / evaluations as f64
}

fn main() {
    ppl::memory::keep_freed_buffers();
    let options = options();
    for name in &options.models {
        let task = Measure { name, options: &options };
        if options.single {
            with::<f32, _>(name, task)
        } else {
            with::<f64, _>(name, task)
        };
    }
}
