//! The six models of `../shared/peers`, without tuning by hand: every mean and standard deviation against NumPyro's long runs, or
//! the exact ones.

use std::collections::BTreeMap;

use ppl::Cpu;
use ppl::infer::mcmc::{Adaptation, MetricShape, NutsOptions};
use ppl::infer::{Draws, Mcmc, McmcOptions, ModelDensity};
use ppl::model::Model;
use serde_json::Value;

use crate::models::{self, Task, tables};

/// Four chains of NUTS.
struct Sample(McmcOptions);

impl Task<f64> for Sample {
    type Output = Draws;

    fn run<M, A>(self, density: ModelDensity<M, A, f64, Cpu>) -> Draws
    where
        M: Model<A, E = f64, D = Cpu> + Clone + Send,
        A: Clone + Send,
    {
        let mut mcmc = Mcmc::of_target(&density, NutsOptions::default(), self.0).expect("a place to begin");
        mcmc.run().expect("a sound model");
        mcmc.into_draws()
    }
}

/// Mean and standard deviation of each number, exact ones where they are known.
fn reference(name: &str) -> Option<BTreeMap<String, [f64; 2]>> {
    let all: Value = serde_json::from_str(&tables::file("nuts_reference.json")?).expect("JSON");
    let of = |entry: &Value| {
        ["mean", "sd"].map(|figure| {
            let exact = &entry[format!("exact_{figure}")];
            exact.as_f64().or_else(|| entry[figure].as_f64()).expect("a number")
        })
    };
    let params = all[name]["params"].as_object().expect("parameters");
    Some(params.iter().map(|(name, entry)| (name.clone(), of(entry))).collect())
}

/// Every mean within 0.1 reference deviations, every deviation within 10 %, R-hat below 1.01. With an effective size of at least
/// `least` for means, a mean is off by more than 0.1 with probability below 2·Φ(−0.1·√least).
#[track_caller]
fn are_numpyros(name: &str, options: McmcOptions, least: f64) {
    let (Some(reference), Some(draws)) = (reference(name), models::with(name, Sample(options))) else {
        return;
    };
    let summary = draws.summary().unwrap();
    println!("{name}: {:?}", draws.sampler_figures());
    let mut wrong = Vec::new();
    for row in &summary.rows {
        let [mean, sd] = reference.get(&row.name).unwrap_or_else(|| panic!("{name} has no {}", row.name));
        let [gap, ratio] = [(row.mean - mean).abs() / sd, row.sd / sd];
        if gap > 0.1 || (ratio - 1.0).abs() > 0.1 || row.r_hat >= 1.01 || row.ess_bulk < least {
            wrong.push(format!("{row:?} against {mean} ± {sd}"));
        }
    }
    assert_eq!(summary.rows.len(), reference.len(), "all of the reference's numbers are there");
    assert!(wrong.is_empty(), "{name}: {}", wrong.join("\n"));
}

/// The same with the default options.
#[track_caller]
fn is_numpyros(name: &str, warmup: usize, draws: usize, least: f64) {
    are_numpyros(name, McmcOptions { warmup, draws, seed: 1, ..McmcOptions::default() }, least);
}

/// The same with Stan's schedule of warm-up, and with the gradient-based metric in overlapping windows.
#[track_caller]
fn is_numpyros_by_each_warmup(name: &str, draws: usize, least: f64) {
    let default = McmcOptions { draws, seed: 1, ..McmcOptions::default() };
    are_numpyros(name, McmcOptions { adaptation: Adaptation::Stan, ..default.clone() }, least);
    are_numpyros(name, McmcOptions { metric: MetricShape::FisherDiagonal, ..default }, least);
}

#[test]
fn eight_schools() {
    // 2·Φ(−0.1·√1600) = 6e-5 for each mean at the least; most have more.
    is_numpyros("eight_schools", 1000, 2000, 1600.0);
    is_numpyros_by_each_warmup("eight_schools", 2000, 1600.0);
}

#[test]
fn logistic_small() {
    is_numpyros("logistic_small", 1000, 1000, 1600.0);
    is_numpyros_by_each_warmup("logistic_small", 1000, 1600.0);
}

#[test]
fn gauss100() {
    is_numpyros("gauss100", 1000, 1000, 1600.0);
    is_numpyros_by_each_warmup("gauss100", 1000, 1600.0);
}

#[test]
#[ignore = "runs for a minute without optimisation"]
fn fast_radon() {
    is_numpyros("radon", 1000, 2000, 1600.0);
}

#[test]
#[ignore = "runs for a minute without optimisation"]
fn fast_ar1() {
    is_numpyros("ar1", 1000, 2000, 1600.0);
}

#[test]
#[ignore = "runs for minutes without optimisation; `cargo test --release --test nuts -- --ignored` has it"]
fn slow_logistic_large() {
    is_numpyros("logistic_large", 1000, 1500, 1600.0);
}
