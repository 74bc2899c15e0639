//! Four chains of our sampler, one after the other, in its default settings but for the metric, begun at uniform numbers in (−2, 2).

use std::time::Instant;

use ppl::Dtype;
use ppl::infer::LogDensity;
use ppl::infer::mcmc::{Kernel, Metric, MetricShape, Nuts, NutsOptions, Warmup, WarmupOptions};
use ppl::rng::Rng;
use rand::Rng as _;

use crate::figures::Run;
use crate::{CHAINS, WARMUP};

/// Runs the chains.
pub(crate) fn run<E: Dtype, D: LogDensity<E>>(density: &mut D, draws: usize, metric: &MetricShape) -> Run<E> {
    let mut run = Run::default();
    for chain in 0..CHAINS {
        let dim = density.dim();
        let rng = |step: u64| Rng::stream(chain, step);
        let mut nuts = Nuts::new(1.0, Metric::Identity(dim), NutsOptions::default());
        let mut first = rng(0);
        let begin: Vec<E> = (0..dim).map(|_| E::of(first.gen_range(-2.0..2.0))).collect();
        let start = Instant::now();
        let mut state = nuts.init(density, &begin).expect("a sound model");
        let options = WarmupOptions { metric: metric.clone(), ..WarmupOptions::default() };
        let mut warmup = Warmup::begin(&options, &mut nuts, density, &state, &mut first).expect("a sound density");
        let mut kept = Vec::with_capacity(draws);
        for step in 0..(WARMUP + draws) as u64 {
            if step == WARMUP as u64 {
                run.warmup_seconds += start.elapsed().as_secs_f64();
            }
            let info = warmup.step(&mut nuts, density, &mut state, &mut rng(step + 1)).expect("a sound density");
            let steps = if step < WARMUP as u64 { &mut run.warmup_steps } else { &mut run.steps };
            *steps += u64::from(info.evaluations);
            if step >= WARMUP as u64 {
                run.divergences += u64::from(info.divergence.is_some());
                kept.push(state.position.clone());
            }
        }
        run.seconds += start.elapsed().as_secs_f64();
        run.chains.push(kept);
    }
    run.seconds -= run.warmup_seconds;
    run
}
