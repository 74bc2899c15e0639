//! Many runs over threads, in blocks that share a copy of the parameters; results do not depend on the threads.

use std::ops::Range;

use ppl_core::backend::Backend;
use ppl_core::params::ParamStore;
use ppl_core::shared::{Shared, spread};
use ppl_core::{Dtype, Error};

use super::error::MonteCarloError;
use super::weighted_run::Impossible;
use super::weights::Weights;

/// How many runs a block has.
const BLOCK: usize = 32;

/// What `run` makes of each number, in their order; at `time`, for errors.
///
/// # Errors
/// The error of the first number that has one.
pub(super) fn each<R: Shared, E: Dtype, D: Backend<E>>(
    numbers: Range<usize>,
    time: Option<usize>,
    params: &ParamStore<E, D>,
    run: impl Fn(&mut ParamStore<E, D>, usize) -> Result<R, Error> + Shared,
) -> Result<Vec<R>, MonteCarloError> {
    let blocks: Vec<Range<usize>> =
        numbers.clone().step_by(BLOCK).map(|first| first..(first + BLOCK).min(numbers.end)).collect();
    let done = spread(blocks, |block| {
        let mut params = params.clone();
        let one = |draw| run(&mut params, draw).map_err(|error| MonteCarloError::Run { draw, time, error });
        block.map(one).collect::<Result<Vec<R>, MonteCarloError>>()
    });
    let mut all = Vec::with_capacity(numbers.len());
    for block in done {
        all.extend(block?);
    }
    Ok(all)
}

/// The weights of logarithms none of which is NaN or ∞.
///
/// # Errors
/// If all are zero: the site that is the first impossible one most often.
pub(super) fn weigh(
    log_weights: Vec<f64>,
    impossible: impl IntoIterator<Item = Impossible>,
    time: Option<usize>,
) -> Result<Weights, MonteCarloError> {
    let draws = log_weights.len();
    Weights::new(log_weights).ok_or_else(|| {
        let mut found: Vec<(usize, Impossible)> = Vec::new();
        for impossible in impossible {
            match found.iter_mut().find(|(_, known)| known.site == impossible.site) {
                Some((count, _)) => *count += 1,
                None => found.push((1, impossible)),
            }
        }
        // The first of those that are impossible most often.
        let most = found.iter().map(|(count, _)| *count).max().unwrap_or(0);
        match found.into_iter().find(|(count, _)| *count == most) {
            Some((count, Impossible { site, why })) => {
                MonteCarloError::Impossible { site, count, draws, time, why: Box::new(why) }
            }
            None => MonteCarloError::Options("there are no draws".into()),
        }
    })
}
