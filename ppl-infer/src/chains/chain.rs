//! One chain: its sampler, how far it is, and what it drew; and how chains run side by side.

use std::io;
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use ppl_core::rng::Rng;

use crate::draws::{ChainDraws, SampleStats};
use crate::mcmc::{Sampler, Step, Tuning};

use super::progress::{Bar, Bars};
use super::{ChainStep, McmcError, McmcStop};

/// Where draws go beside the memory, or instead: a file.
pub trait DrawSink {
    /// Hears what the warm-up has tuned, before the first draw.
    ///
    /// # Errors
    /// If it cannot be kept. It ends the run.
    fn tuned(&mut self, _tuning: &Tuning) -> io::Result<()> {
        Ok(())
    }

    /// Takes a draw.
    ///
    /// # Errors
    /// If it cannot be kept. It ends the run.
    fn draw(&mut self, row: &[f64], stats: &SampleStats) -> io::Result<()>;

    /// The run has ended, for now: what was taken must be safe.
    ///
    /// # Errors
    /// If it is not.
    fn flush(&mut self) -> io::Result<()>;
}

/// What all chains do.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plan {
    pub(super) warmup: usize,
    pub(super) draws: usize,
    pub(super) thin: usize,
    pub(super) seed: u64,
    pub(super) keep: bool,
}

impl Plan {
    /// The iterations of a chain, warm-up included.
    pub(super) fn iterations(&self) -> usize {
        self.warmup + self.draws * self.thin
    }

    /// Whether an iteration gives a draw.
    fn is_draw(&self, iteration: usize) -> bool {
        iteration >= self.warmup && (iteration - self.warmup + 1).is_multiple_of(self.thin)
    }

    /// How many draws there are after so many iterations.
    pub(super) fn draws_at(&self, iterations: usize) -> usize {
        iterations.saturating_sub(self.warmup) / self.thin
    }

    /// The randomness of one iteration of one chain.
    fn rng(&self, chain: usize, iteration: usize) -> Rng {
        // Streams below 2⁶³ are numbers, those above are names; 2⁴⁰ iterations are years.
        Rng::stream(self.seed, (chain as u64) << 40 | iteration as u64)
    }
}

/// A chain.
pub(super) struct Chain<S> {
    pub(super) number: usize,
    pub(super) sampler: S,
    /// How many iterations are done.
    pub(super) iteration: usize,
    pub(super) evaluations: u64,
    pub(super) divergences: usize,
    pub(super) draws: ChainDraws,
    pub(super) sink: Option<Box<dyn DrawSink + Send>>,
}

impl<S: Sampler> Chain<S> {
    pub(super) fn new(number: usize, sampler: S) -> Self {
        let width = sampler.variables().last().map_or(0, |last| last.range.end);
        Chain {
            number,
            sampler,
            iteration: 0,
            evaluations: 0,
            divergences: 0,
            draws: ChainDraws::new(width),
            sink: None,
        }
    }

    /// Goes on to the end, unless something stops it.
    fn run(
        &mut self,
        plan: &Plan,
        observe: &dyn Fn(ChainStep<'_>) -> ControlFlow<()>,
        stop: &AtomicBool,
        bar: &Bar,
    ) -> Result<(), McmcError<S::Error>> {
        let mut row = Vec::new();
        let mut end = Ok(());
        while self.iteration < plan.iterations() && !stop.load(Ordering::Relaxed) {
            match self.advance(plan, observe, &mut row, bar) {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => stop.store(true, Ordering::Relaxed),
                Err(error) => {
                    stop.store(true, Ordering::Relaxed);
                    end = Err(error);
                }
            }
        }
        let flushed = self.sink.as_mut().map_or(Ok(()), |sink| sink.flush());
        end.and(flushed.map_err(|source| self.unwritten(source)))
    }

    /// One iteration, after which the chain is sound whatever went wrong.
    fn advance(
        &mut self,
        plan: &Plan,
        observe: &dyn Fn(ChainStep<'_>) -> ControlFlow<()>,
        row: &mut Vec<f64>,
        bar: &Bar,
    ) -> Result<ControlFlow<()>, McmcError<S::Error>> {
        let (chain, iteration) = (self.number, self.iteration);
        if let (true, Some(sink), Some(tuning)) = (iteration == plan.warmup, &mut self.sink, self.sampler.tuning()) {
            sink.tuned(&tuning).map_err(|source| self.unwritten(source))?;
        }
        let failed = |source| McmcError::Sampler { chain, iteration, source };
        let Step { stats, divergence } = self.sampler.step(&mut plan.rng(chain, iteration)).map_err(failed)?;
        let (warmup, is_draw) = (iteration < plan.warmup, plan.is_draw(iteration));
        self.iteration += 1;
        self.evaluations += u64::from(stats.evaluations);
        self.divergences += usize::from(stats.diverging && !warmup);
        if is_draw {
            row.clear();
            self.sampler.values(row).map_err(failed)?;
            if plan.keep {
                self.draws.push(row, stats);
            }
            if let Some(sink) = &mut self.sink {
                sink.draw(row, &stats).map_err(|source| McmcError::Sink { chain, iteration, source })?;
            }
        }
        if let Some(mut divergence) = divergence.filter(|_| !warmup && plan.keep) {
            divergence.draw = self.draws.len().saturating_sub(usize::from(is_draw));
            self.draws.push_divergence(divergence);
        }
        bar.step(&stats, warmup, self.divergences);
        let values = is_draw.then_some(row.as_slice());
        Ok(observe(ChainStep { chain, iteration, warmup, stats: &stats, values }))
    }

    pub(super) fn unwritten(&self, source: io::Error) -> McmcError<S::Error> {
        McmcError::Sink { chain: self.number, iteration: self.iteration, source }
    }

    fn is_done(&self, plan: &Plan) -> bool {
        self.iteration >= plan.iterations()
    }
}

/// Runs chains one after another.
pub(super) fn run_in_turn<S: Sampler>(
    chains: &mut [Chain<S>],
    plan: &Plan,
    observe: &dyn Fn(ChainStep<'_>) -> ControlFlow<()>,
    bars: &Bars,
) -> Result<McmcStop, McmcError<S::Error>> {
    let stop = AtomicBool::new(false);
    for chain in chains.iter_mut() {
        chain.run(plan, observe, &stop, bars.of(chain.number))?;
    }
    Ok(how_it_ended(chains, plan))
}

/// Runs chains on so many threads, each of which takes the next chain when it has done one.
pub(super) fn run_on_threads<S: Sampler + Send>(
    chains: &mut [Chain<S>],
    threads: usize,
    plan: &Plan,
    observe: &(dyn Fn(ChainStep<'_>) -> ControlFlow<()> + Sync),
    bars: &Bars,
) -> Result<McmcStop, McmcError<S::Error>> {
    let stop = AtomicBool::new(false);
    let first_error = Mutex::new(None);
    let queue = Mutex::new(chains.iter_mut());
    let next = || queue.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).next();
    let work = || {
        while let Some(chain) = next() {
            if let Err(error) = chain.run(plan, &|step| observe(step), &stop, bars.of(chain.number)) {
                first_error.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).get_or_insert(error);
            }
        }
    };
    std::thread::scope(|scope| {
        (1..threads).for_each(|_| {
            scope.spawn(work);
        });
        work();
    });
    match first_error.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()) {
        Some(error) => Err(error),
        None => Ok(how_it_ended(chains, plan)),
    }
}

fn how_it_ended<S: Sampler>(chains: &[Chain<S>], plan: &Plan) -> McmcStop {
    if chains.iter().all(|chain| chain.is_done(plan)) { McmcStop::Finished } else { McmcStop::Interrupted }
}
