//! Effective draws a gradient beside nuts-rs on the same density, over seeds: calls of the density are counted on both sides, and
//! the same function finds the effective sizes.

use ppl::backend::Backend;
use ppl::infer::ModelDensity;
use ppl::model::Model;
use ppl::{Cpu, Dtype};
use serde_json::{Value, json};

use crate::figures::Run;
use crate::{Options, peer, sampler};

/// Mean and standard error over seeds.
struct Mean {
    mean: f64,
    error: f64,
}

impl Mean {
    fn of(numbers: impl Iterator<Item = f64> + Clone) -> Self {
        let count = numbers.clone().count() as f64;
        let mean = numbers.clone().sum::<f64>() / count;
        let squares: f64 = numbers.map(|x| (x - mean).powi(2)).sum();
        Mean { mean, error: (squares / (count - 1.0).max(1.0) / count).sqrt() }
    }

    /// The quotient of two means with its standard error to first order.
    fn over(&self, other: &Mean) -> [f64; 2] {
        let ratio = self.mean / other.mean;
        [ratio, ratio * (self.error / self.mean).hypot(other.error / other.mean)]
    }
}

/// What is told of a run: effective draws, least and mean, over the gradients of the draws and over all, and gradients of warm-up.
const FIGURES: [&str; 5] = ["least", "mean", "least_of_all", "mean_of_all", "warmup_gradients"];

fn figures<M, A, E>(density: &mut ModelDensity<M, A, E, Cpu>, run: &Run<E>) -> [f64; 5]
where
    M: Model<A, E = E, D = Cpu>,
    A: Clone,
    E: Dtype,
    Cpu: Backend<E>,
{
    let [least, mean] = run.effective(density);
    let (steps, warmup) = (run.steps as f64, run.warmup_steps as f64);
    [least / steps, mean / steps, least / (steps + warmup), mean / (steps + warmup), warmup]
}

/// Each figure of ours over that of nuts-rs, with its standard error over so many seeds; and the draws that diverged.
pub(crate) fn measured<M, A, E>(density: &mut ModelDensity<M, A, E, Cpu>, options: &Options, seeds: u64) -> Value
where
    M: Model<A, E = E, D = Cpu> + Clone + Send,
    A: Clone + Send,
    E: Dtype,
    Cpu: Backend<E>,
{
    let (mut ours, mut theirs, mut divergences) = (Vec::new(), Vec::new(), [0, 0]);
    for seed in 0..seeds {
        let run = sampler::run(density, options.draws, &options.warmup(), seed);
        ours.push(figures(density, &run));
        let other = peer::run(density, options.draws, seed);
        theirs.push(figures(density, &other));
        divergences = [divergences[0] + run.divergences, divergences[1] + other.divergences];
    }
    let mut line = json!({ "divergences": divergences });
    for (at, name) in FIGURES.into_iter().enumerate() {
        let [ours, theirs] = [&ours, &theirs].map(|runs| Mean::of(runs.iter().map(|figures| figures[at])));
        line[name] = json!(ours.over(&theirs).map(|x| (x * 1000.0).round() / 1000.0));
    }
    line
}
