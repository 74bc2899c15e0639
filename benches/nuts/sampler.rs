//! Four chains of our sampler, one after the other, in its default settings but for the warm-up, begun at uniform numbers in (−2, 2).

use std::cell::Cell;
use std::time::Instant;

use ppl::Dtype;
use ppl::infer::LogDensity;
use ppl::infer::mcmc::{Kernel, Metric, Nuts, NutsOptions, Warmup, WarmupOptions};
use ppl::rng::Rng;
use rand::Rng as _;

use crate::counted::Counted;
use crate::figures::Run;
use crate::{CHAINS, WARMUP};

/// Runs the chains of a seed.
pub(crate) fn run<E: Dtype, D: LogDensity<E>>(
    density: &mut D,
    draws: usize,
    options: &WarmupOptions,
    seed: u64,
) -> Run<E> {
    let mut run = Run::default();
    for chain in seed * CHAINS..(seed + 1) * CHAINS {
        let count = Cell::new(0);
        let density = &mut Counted { density: &mut *density, evaluations: &count };
        let dim = density.dim();
        let rng = |step: u64| Rng::stream(chain, step);
        let mut nuts = Nuts::new(1.0, Metric::Identity(dim), NutsOptions::default());
        let mut first = rng(0);
        let begin: Vec<E> = (0..dim).map(|_| E::of(first.gen_range(-2.0..2.0))).collect();
        let start = Instant::now();
        let mut state = nuts.init(density, &begin).expect("a sound model");
        let mut warmup = Warmup::begin(options, &mut nuts, density, &state, &mut first).expect("a sound density");
        let mut kept = Vec::with_capacity(draws);
        for step in 0..(WARMUP + draws) as u64 {
            if step == WARMUP as u64 {
                run.warmup_seconds += start.elapsed().as_secs_f64();
                run.warmup_steps += count.take();
            }
            let info = warmup.step(&mut nuts, density, &mut state, &mut rng(step + 1)).expect("a sound density");
            if step >= WARMUP as u64 {
                run.divergences += u64::from(info.divergence.is_some());
                kept.push(state.position.clone());
            }
        }
        run.seconds += start.elapsed().as_secs_f64();
        run.steps += count.get();
        run.chains.push(kept);
    }
    run.seconds -= run.warmup_seconds;
    run
}
