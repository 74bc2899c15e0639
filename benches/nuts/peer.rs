//! The same by nuts-rs, in its default settings: an adapter that makes our density its own.

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::time::Instant;

use nuts_rs::rand::SeedableRng as _;
use nuts_rs::rand::rngs::StdRng;
use nuts_rs::{Chain as _, CpuLogpFunc, CpuMath, CpuMathError, DiagNutsSettings, HasDims, LogpError, Settings as _};
use ppl::Dtype;
use ppl::infer::LogDensity;
use ppl::rng::Rng;
use rand::Rng as _;

use crate::counted::Counted;
use crate::figures::Run;
use crate::{CHAINS, WARMUP};

/// Our density with its positions in `f64`, as nuts-rs asks for them.
struct Adapter<'d, E, D> {
    density: &'d mut D,
    position: Vec<E>,
    gradient: Vec<E>,
}

/// What goes wrong in a density.
#[derive(Debug)]
struct Failed(String);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failed {}

impl LogpError for Failed {
    fn is_recoverable(&self) -> bool {
        false
    }
}

impl<E, D> HasDims for Adapter<'_, E, D> {
    fn dim_sizes(&self) -> HashMap<String, u64> {
        HashMap::from([("unconstrained_parameter".to_owned(), self.position.len() as u64)])
    }
}

impl<E: Dtype, D: LogDensity<E>> CpuLogpFunc for Adapter<'_, E, D> {
    type LogpError = Failed;
    type ExpandedVector = Vec<f64>;
    type FlowParameters = ();

    fn dim(&self) -> usize {
        self.position.len()
    }

    fn logp(&mut self, position: &[f64], gradient: &mut [f64]) -> Result<f64, Failed> {
        self.position.iter_mut().zip(position).for_each(|(to, &x)| *to = E::of(x));
        let value = self.density.evaluate(&self.position, &mut self.gradient).map_err(|e| Failed(e.to_string()))?;
        gradient.iter_mut().zip(&self.gradient).for_each(|(to, g)| *to = g.wide());
        Ok(value)
    }

    fn expand_vector<R: nuts_rs::rand::Rng + ?Sized>(
        &mut self,
        _: &mut R,
        position: &[f64],
    ) -> Result<Vec<f64>, CpuMathError> {
        Ok(position.to_vec())
    }
}

/// Runs the chains of a seed.
pub(crate) fn run<E: Dtype, D: LogDensity<E>>(density: &mut D, draws: usize, seed: u64) -> Run<E> {
    let mut run = Run::default();
    for chain in seed * CHAINS..(seed + 1) * CHAINS {
        let count = Cell::new(0);
        let dim = density.dim();
        let mut counted = Counted { density: &mut *density, evaluations: &count };
        let settings = DiagNutsSettings { num_tune: WARMUP as u64, num_draws: draws as u64, ..Default::default() };
        let zeros = || vec![E::of(0.0); dim];
        let adapter = Adapter { density: &mut counted, position: zeros(), gradient: zeros() };
        let mut sampler = settings
            .new_chain(chain, CpuMath::new(adapter), &mut StdRng::seed_from_u64(chain))
            .expect("default settings");
        let mut first = Rng::stream(chain, 0);
        let begin: Vec<f64> = (0..dim).map(|_| first.gen_range(-2.0..2.0)).collect();
        let start = Instant::now();
        sampler.set_position(&begin).expect("a sound density");
        let mut kept = Vec::with_capacity(draws);
        for step in 0..WARMUP + draws {
            if step == WARMUP {
                run.warmup_seconds += start.elapsed().as_secs_f64();
                run.warmup_steps += count.take();
            }
            let (position, info) = sampler.draw().expect("a sound density");
            if step >= WARMUP {
                run.divergences += u64::from(info.diverging);
                kept.push(position.iter().map(|&x| E::of(x)).collect());
            }
        }
        run.seconds += start.elapsed().as_secs_f64();
        run.steps += count.get();
        run.chains.push(kept);
    }
    run.seconds -= run.warmup_seconds;
    run
}
