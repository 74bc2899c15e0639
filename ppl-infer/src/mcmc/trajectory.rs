//! The contract of a path of points: what a doubling tree asks of a trajectory, and of chance.
//!
//! The tree knows nothing of positions and momenta, so that its transitions can be enumerated over points
//! that are integers, and their detailed balance be proved.

use ppl_core::rng::Rng;
use rand::Rng as _;

/// A direction in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Into the future.
    Forward,
    /// Into the past.
    Backward,
}

/// What was found at a point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Visit {
    /// The log of its weight, relative to the first point's.
    pub log_weight: f64,
    /// Whether the path ends here: the point is no part of it.
    pub diverged: bool,
}

/// A path of points, walked in both directions.
pub trait Trajectory {
    /// A place for a point.
    type Point;
    /// What is summed over the points between two ends: the momenta.
    type Sum;
    /// What can go wrong in a step.
    type Error;

    /// A new place for a point.
    fn new_point(&self) -> Self::Point;

    /// A new place for a sum.
    fn new_sum(&self) -> Self::Sum;

    /// Steps from one point to its neighbour.
    ///
    /// # Errors
    /// Those of the density.
    fn step(&mut self, from: &Self::Point, to: &mut Self::Point, direction: Direction) -> Result<Visit, Self::Error>;

    /// What a point adds to a sum.
    fn own<'p>(&self, point: &'p Self::Point) -> &'p Self::Sum;

    /// Writes `a + b`.
    fn add(&self, a: &Self::Sum, b: &Self::Sum, sum: &mut Self::Sum);

    /// Adds to a sum.
    fn add_assign(&self, sum: &mut Self::Sum, other: &Self::Sum);

    /// Whether a stretch of the path turns back on itself: its ends, the earlier one first, and its sum in
    /// two parts. A stretch and its reverse must be judged alike.
    fn turns(&self, ends: [&Self::Point; 2], sum: [&Self::Sum; 2]) -> bool;
}

/// Where a tree's random choices come from.
pub trait Choices {
    /// Either direction, with probability ½.
    fn direction(&mut self) -> Direction;

    /// Yes, with this probability: always from 1 on, never at 0 or at NaN.
    fn accept(&mut self, probability: f64) -> bool;
}

impl Choices for Rng {
    fn direction(&mut self) -> Direction {
        if self.gen_bool(0.5) { Direction::Forward } else { Direction::Backward }
    }

    fn accept(&mut self, probability: f64) -> bool {
        self.gen_range(0.0..1.0) < probability
    }
}
