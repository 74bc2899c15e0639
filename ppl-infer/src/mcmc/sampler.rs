//! The contract of what a chain runs: it steps, says where it is, and can be saved.

use std::error::Error;

use ppl_core::rng::Rng;
use serde_json::Value;

use crate::draws::{DivergentStep, SampleStats, Variable};

/// What happened in a step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Step {
    /// Its figures.
    pub stats: SampleStats,
    /// Where its trajectory diverged, if it did; the number of the draw is the chain's to fill in.
    pub divergence: Option<DivergentStep>,
}

/// What a sampler has tuned.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tuning {
    /// The step size.
    pub step_size: f64,
    /// The diagonal of the inverse mass matrix.
    pub inverse_mass: Vec<f64>,
}

/// One chain's sampler: a state, and how it moves. It tunes itself in its first steps, whose number it was told.
pub trait Sampler {
    /// What can go wrong.
    type Error: Error + Send + Sync + 'static;

    /// What a draw is made of.
    fn variables(&self) -> &[Variable];

    /// Moves. All that is random comes from `rng`, which is this step's own.
    ///
    /// # Errors
    /// What the caller must mend. It ends the chain; the draws before it stay.
    fn step(&mut self, rng: &mut Rng) -> Result<Step, Self::Error>;

    /// Adds the numbers of the variables in the present state to `values`.
    ///
    /// # Errors
    /// What the caller must mend.
    fn values(&mut self, values: &mut Vec<f64>) -> Result<(), Self::Error>;

    /// What was tuned, where one step size and one metric are all.
    fn tuning(&self) -> Option<Tuning> {
        None
    }

    /// All that changes from step to step, so that a [restored](Sampler::restore) sampler goes on bit for bit.
    fn save(&self) -> Value;

    /// Goes on from what was saved.
    ///
    /// # Errors
    /// If it was not saved by a sampler like this one, in words; this one is then as it was.
    fn restore(&mut self, saved: Value) -> Result<(), String>;
}
