//! A bar for each chain: how far it is, its step size, the depth of its trees, its divergences.

use crate::draws::SampleStats;
use crate::mcmc::Sampler;

use super::chain::{Chain, Plan};

/// The bars of a run, or nothing.
pub(super) struct Bars {
    bars: Vec<Bar>,
}

/// The bar of one chain, or nothing.
pub(super) struct Bar {
    #[cfg(feature = "progress")]
    bar: indicatif::ProgressBar,
}

impl Bars {
    #[cfg(feature = "progress")]
    pub(super) fn new<S: Sampler>(shown: bool, plan: &Plan, chains: &[Chain<S>]) -> Self {
        use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
        let all = MultiProgress::new();
        let style = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} {per_sec} {msg}");
        let bars = chains.iter().map(|chain| {
            let bar = if shown { all.add(ProgressBar::new(plan.iterations() as u64)) } else { ProgressBar::hidden() };
            if let Ok(style) = &style {
                bar.set_style(style.clone());
            }
            bar.set_prefix(format!("chain {}", chain.number));
            bar.set_position(chain.iteration as u64);
            Bar { bar }
        });
        Bars { bars: bars.collect() }
    }

    #[cfg(not(feature = "progress"))]
    pub(super) fn new<S: Sampler>(_: bool, _: &Plan, chains: &[Chain<S>]) -> Self {
        Bars { bars: chains.iter().map(|_| Bar {}).collect() }
    }

    pub(super) fn of(&self, chain: usize) -> &Bar {
        &self.bars[chain]
    }
}

#[cfg(feature = "progress")]
impl Bar {
    pub(super) fn step(&self, stats: &SampleStats, warmup: bool, divergences: usize) {
        if !self.bar.is_hidden() {
            let stage = if warmup { "warm-up" } else { "draws" };
            let SampleStats { step_size, depth, .. } = stats;
            self.bar
                .set_message(format!("{stage}, step size {step_size:.3}, depth {depth}, {divergences} divergences"));
        }
        self.bar.inc(1);
    }
}

#[cfg(not(feature = "progress"))]
impl Bar {
    pub(super) fn step(&self, _: &SampleStats, _: bool, _: usize) {}
}

#[cfg(feature = "progress")]
impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.abandon();
    }
}
