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

/// 2·min(1, w) / (1 + w), of the log of a weight w relative to the start; 0 of NaN.
///
/// It is the probability of acceptance, averaged over the two ways between the start and the point, each with the weight of
/// where it begins: in equilibrium its mean is that of min(1, w), and its variance is less. nuts-rs steers it.
pub fn symmetric_acceptance(log_weight: f64) -> f64 {
    let ratio = (-log_weight.abs()).exp();
    if ratio.is_nan() { 0.0 } else { 2.0 * ratio / (1.0 + ratio) }
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

#[cfg(test)]
mod tests {
    use super::symmetric_acceptance;

    #[test]
    fn both_ways_are_accepted_alike_and_as_often_as_by_metropolis() {
        for log_weight in [-30.0, -2.0, -0.1, 0.0, 0.7, 5.0_f64] {
            let weight = log_weight.exp();
            let [there, back] = [log_weight, -log_weight].map(symmetric_acceptance);
            assert_eq!(there, back);
            let metropolis = weight.min(1.0) + weight * weight.recip().min(1.0);
            assert!(((1.0 + weight) * there / metropolis - 1.0).abs() < 1e-14, "{there} at {log_weight}");
        }
        assert_eq!([f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(symmetric_acceptance), [0.0; 3]);
    }
}
