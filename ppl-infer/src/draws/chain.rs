//! The draws of one chain.

use super::stats::SampleStats;

/// Where a trajectory diverged.
#[derive(Clone, Debug, PartialEq)]
pub struct DivergentStep {
    /// The number of the draw that the trajectory led to.
    pub draw: usize,
    /// The variables where the last step began, as a row of the draws.
    pub values: Vec<f64>,
    /// The unconstrained position where the last step began.
    pub from: Vec<f64>,
    /// The unconstrained position to which it led.
    pub to: Vec<f64>,
    /// The energy there less the energy at the start; NaN and ∞ are possible.
    pub energy_error: f64,
}

/// The draws of one chain: a row of numbers for each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChainDraws {
    width: usize,
    values: Vec<f64>,
    stats: Vec<SampleStats>,
    divergences: Vec<DivergentStep>,
}

impl ChainDraws {
    /// No draws, of rows of so many numbers.
    pub fn new(width: usize) -> Self {
        ChainDraws { width, ..ChainDraws::default() }
    }

    /// Adds a draw.
    ///
    /// # Panics
    /// If the row has another length than the rows before.
    pub fn push(&mut self, row: &[f64], stats: SampleStats) {
        assert_eq!(row.len(), self.width, "numbers of a draw");
        self.values.extend_from_slice(row);
        self.stats.push(stats);
    }

    /// Adds a divergence.
    pub fn push_divergence(&mut self, divergence: DivergentStep) {
        self.divergences.push(divergence);
    }

    /// The numbers of a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The number of draws.
    pub fn len(&self) -> usize {
        self.stats.len()
    }

    /// Whether there are no draws.
    pub fn is_empty(&self) -> bool {
        self.stats.is_empty()
    }

    /// The numbers of a draw.
    ///
    /// # Panics
    /// If there is no such draw.
    pub fn row(&self, draw: usize) -> &[f64] {
        &self.values[draw * self.width..(draw + 1) * self.width]
    }

    /// The numbers of all draws, in order.
    pub fn rows(&self) -> impl Iterator<Item = &[f64]> {
        (0..self.len()).map(|draw| self.row(draw))
    }

    /// One number of each draw.
    ///
    /// # Panics
    /// If rows have no such place.
    pub fn column(&self, place: usize) -> impl Iterator<Item = f64> + '_ {
        assert!(place < self.width, "rows have {} numbers, and none at {place}", self.width);
        self.values.iter().skip(place).step_by(self.width.max(1)).copied()
    }

    /// What happened at each draw.
    pub fn stats(&self) -> &[SampleStats] {
        &self.stats
    }

    /// Where trajectories diverged, in order.
    pub fn divergences(&self) -> &[DivergentStep] {
        &self.divergences
    }
}
