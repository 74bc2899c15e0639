//! What can go wrong in weighted draws, and in which draw.

use ppl_core::Error;
use thiserror::Error as ThisError;

use crate::mcmc::InvalidMetric;

/// Weighted draws that cannot be made.
#[derive(Clone, Debug, ThisError, PartialEq)]
#[non_exhaustive]
pub enum MonteCarloError {
    /// A run of the model or its guide is wrong.
    #[error("draw {draw}{}: {error}", at_time(.time))]
    Run {
        /// The draw, or the particle, counted from 0.
        draw: usize,
        /// The time of the particle, where there is one.
        time: Option<usize>,
        /// What is wrong.
        error: Error,
    },

    /// All weights are zero.
    #[error(
        "site `{site}`: it is impossible in {count} of {draws} draws{}, and none has a weight above zero; in the first of them: {why}",
        at_time(.time)
    )]
    Impossible {
        /// The site that is impossible most often.
        site: String,
        /// In how many draws it is the first impossible one.
        count: usize,
        /// How many draws there are.
        draws: usize,
        /// The time, where there is one.
        time: Option<usize>,
        /// Why the first of them is impossible.
        why: Box<Error>,
    },

    /// Rejection made as many attempts as it may.
    #[error(
        "{accepted} of {wanted} draws were accepted in {attempts} attempts, which is the budget; give a larger one, a lower bound, or condition on less"
    )]
    Budget {
        /// How many were accepted.
        accepted: usize,
        /// How many were wanted.
        wanted: usize,
        /// How many attempts there were.
        attempts: u64,
    },

    /// The likelihood is above the bound that rejection was given.
    #[error(
        "attempt {attempt}: the log-likelihood is {log_likelihood}, above the bound {log_bound}, most of it from site `{site}`; accepted draws would not be exact: give a `log_bound` that nothing exceeds"
    )]
    Bound {
        /// The attempt, counted from 0.
        attempt: u64,
        /// Its log-likelihood.
        log_likelihood: f64,
        /// The bound.
        log_bound: f64,
        /// The site with the greatest log-likelihood.
        site: String,
    },

    /// Options that mean nothing.
    #[error("{0}")]
    Options(String),

    /// The particles are too alike to tell how far to move.
    #[error("the moves have no metric: {0}")]
    Metric(#[from] InvalidMetric),
}

fn at_time(time: &Option<usize>) -> String {
    time.map_or_else(String::new, |time| format!(" at time {time}"))
}
