//! Kinetic energies: a normal momentum whose covariance is the mass matrix M, given by its inverse, which
//! should resemble the covariance of the target.

use ppl_core::Dtype;
use ppl_core::rng::Rng;
use rand::Rng as _;
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};
use thiserror::Error as ThisError;

use super::inner_product::dot;

// A variance for each coordinate.
mod diagonal;
// A covariance of all coordinates.
mod dense;
// Groups of coordinates, each with a metric of its own.
mod blocks;

pub use blocks::Block;
pub use dense::DenseMetric;
pub use diagonal::DiagonalMetric;

/// What an inverse mass matrix cannot be.
#[derive(Clone, Debug, ThisError, PartialEq)]
#[non_exhaustive]
pub enum InvalidMetric {
    /// A variance is not a positive number, or has none for its square root in the element type.
    #[error("the inverse mass of coordinate {coordinate} is {value}, but it must be positive and finite")]
    Variance {
        /// The first such coordinate.
        coordinate: usize,
        /// Its variance.
        value: f64,
    },
    /// A matrix has no Cholesky factor.
    #[error("the inverse mass matrix has no Cholesky factor: {0}")]
    NotPositiveDefinite(String),
    /// A matrix has another number of elements than its dimension asks for.
    #[error("a matrix of dimension {dim} has {} elements, but {found} were given", dim * dim)]
    Elements {
        /// The dimension.
        dim: usize,
        /// The number of elements.
        found: usize,
    },
    /// Blocks leave a coordinate out, or name it twice.
    #[error("coordinate {coordinate} is in {times} of the blocks, but every coordinate must be in one")]
    Partition {
        /// The first such coordinate.
        coordinate: usize,
        /// How many blocks name it.
        times: usize,
    },
    /// A block's metric has another dimension than the block has coordinates.
    #[error("block {block} has {coordinates} coordinates, but its metric has dimension {dim}")]
    Block {
        /// The number of the block.
        block: usize,
        /// How many coordinates it has.
        coordinates: usize,
        /// The dimension of its metric.
        dim: usize,
    },
}

/// An inverse mass matrix M⁻¹: momenta are normal with covariance M, the kinetic energy is ½·pᵀ·M⁻¹·p.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Metric<E> {
    /// M⁻¹ = 1, of this dimension.
    Identity(usize),
    /// M⁻¹ is diagonal.
    Diagonal(DiagonalMetric<E>),
    /// M⁻¹ is any positive definite matrix.
    Dense(DenseMetric<E>),
    /// M⁻¹ has blocks, and zeros elsewhere.
    Blocks(Vec<Block<E>>),
}

impl<E: Dtype> Metric<E> {
    /// M⁻¹ with these variances on its diagonal.
    ///
    /// # Errors
    /// If one of them is not positive and finite.
    pub fn diagonal(variances: &[f64]) -> Result<Self, InvalidMetric> {
        DiagonalMetric::new(variances).map(Metric::Diagonal)
    }

    /// M⁻¹ as a symmetric matrix, row by row; its lower triangle is read.
    ///
    /// # Errors
    /// If it is not positive definite.
    pub fn dense(dim: usize, matrix: &[f64]) -> Result<Self, InvalidMetric> {
        DenseMetric::new(dim, matrix).map(Metric::Dense)
    }

    /// M⁻¹ by groups of coordinates, each with the metric of its group.
    ///
    /// # Errors
    /// If a coordinate below the greatest is in no group or in several, or a metric has another
    /// dimension than its group.
    pub fn blocks(blocks: Vec<(Vec<usize>, Metric<E>)>) -> Result<Self, InvalidMetric> {
        blocks::partition(blocks).map(Metric::Blocks)
    }

    /// The number of coordinates.
    pub fn dim(&self) -> usize {
        match self {
            Metric::Identity(dim) => *dim,
            Metric::Diagonal(metric) => metric.dim(),
            Metric::Dense(metric) => metric.dim(),
            Metric::Blocks(blocks) => blocks.iter().map(Block::dim).sum(),
        }
    }

    /// The diagonal of M⁻¹.
    pub fn variances(&self) -> Vec<f64> {
        match self {
            Metric::Identity(dim) => vec![1.0; *dim],
            Metric::Diagonal(metric) => metric.variances().iter().map(|v| v.wide()).collect(),
            Metric::Dense(metric) => metric.matrix().iter().step_by(metric.dim() + 1).map(|v| v.wide()).collect(),
            Metric::Blocks(blocks) => {
                let mut variances = vec![1.0; self.dim()];
                for block in blocks {
                    let of_block = block.metric().variances();
                    block.coordinates().iter().zip(of_block).for_each(|(&at, variance)| variances[at] = variance);
                }
                variances
            }
        }
    }

    /// Writes the velocity M⁻¹·p of a momentum p.
    pub fn velocity(&mut self, momentum: &[E], velocity: &mut [E]) {
        match self {
            Metric::Identity(_) => velocity.copy_from_slice(momentum),
            Metric::Diagonal(metric) => metric.velocity(momentum, velocity),
            Metric::Dense(metric) => metric.velocity(momentum, velocity),
            Metric::Blocks(blocks) => blocks.iter_mut().for_each(|block| block.velocity(momentum, velocity)),
        }
    }

    /// Writes a draw from the normal distribution with covariance M.
    pub fn draw_momentum(&mut self, rng: &mut Rng, momentum: &mut [E]) {
        match self {
            Metric::Identity(_) => standard_normals(rng, momentum),
            Metric::Diagonal(metric) => metric.draw_momentum(rng, momentum),
            Metric::Dense(metric) => metric.draw_momentum(rng, momentum),
            Metric::Blocks(blocks) => blocks.iter_mut().for_each(|block| block.draw_momentum(rng, momentum)),
        }
    }

    /// Writes a draw from the normal distribution with covariance M⁻¹: a jump of a random walk.
    pub fn draw_displacement(&mut self, rng: &mut Rng, displacement: &mut [E]) {
        match self {
            Metric::Identity(_) => standard_normals(rng, displacement),
            Metric::Diagonal(metric) => metric.draw_displacement(rng, displacement),
            Metric::Dense(metric) => metric.draw_displacement(rng, displacement),
            Metric::Blocks(blocks) => blocks.iter_mut().for_each(|block| block.draw_displacement(rng, displacement)),
        }
    }

    /// The kinetic energy ½·p·v of a momentum and its velocity.
    pub fn kinetic_energy(momentum: &[E], velocity: &[E]) -> f64 {
        0.5 * dot(momentum, velocity)
    }
}

/// Writes independent standard normals.
fn standard_normals<E: Dtype>(rng: &mut Rng, out: &mut [E]) {
    out.iter_mut().for_each(|out| *out = E::of(rng.sample(StandardNormal)));
}
