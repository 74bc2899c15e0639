//! A dense inverse mass matrix, with its Cholesky factor.

use ppl_core::rng::Rng;
use ppl_core::{Cpu, Dtype, Tensor};
use rand::Rng as _;
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

use super::InvalidMetric;
use crate::mcmc::inner_product::dot;

/// A dense inverse mass matrix M⁻¹ = L·Lᵀ.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DenseMetric<E> {
    dim: usize,
    /// M⁻¹, row by row.
    matrix: Vec<E>,
    /// L, row by row.
    factor: Vec<f64>,
    /// Where draws are made.
    draw: Vec<f64>,
}

impl<E: Dtype> DenseMetric<E> {
    /// The metric with this inverse mass matrix, row by row; its lower triangle is read.
    ///
    /// # Errors
    /// If it is not positive definite.
    pub fn new(dim: usize, matrix: &[f64]) -> Result<Self, InvalidMetric> {
        if matrix.len() != dim * dim {
            return Err(InvalidMetric::Elements { dim, found: matrix.len() });
        }
        let lower = |row: usize, column: usize| matrix[row.max(column) * dim + row.min(column)];
        let symmetric = (0..dim * dim).map(|at| E::of(lower(at / dim, at % dim))).collect();
        Ok(DenseMetric { dim, matrix: symmetric, factor: factor(dim, matrix)?, draw: vec![0.0; dim] })
    }

    /// The number of coordinates.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The inverse mass matrix, row by row.
    pub fn matrix(&self) -> &[E] {
        &self.matrix
    }

    pub(super) fn velocity(&self, momentum: &[E], velocity: &mut [E]) {
        let rows = self.matrix.chunks_exact(self.dim.max(1));
        velocity.iter_mut().zip(rows).for_each(|(out, row)| *out = E::of(dot(row, momentum)));
    }

    /// p with Lᵀ·p = z, whose covariance is (L·Lᵀ)⁻¹ = M.
    pub(super) fn draw_momentum(&mut self, rng: &mut Rng, momentum: &mut [E]) {
        self.draw.fill_with(|| rng.sample(StandardNormal));
        for i in (0..self.dim).rev() {
            let row = &self.factor[i * self.dim..][..=i];
            let p = self.draw[i] / row[i];
            self.draw.iter_mut().zip(&row[..i]).for_each(|(z, l)| *z -= l * p);
            momentum[i] = E::of(p);
        }
    }

    /// L·z, whose covariance is L·Lᵀ = M⁻¹.
    pub(super) fn draw_displacement(&mut self, rng: &mut Rng, displacement: &mut [E]) {
        self.draw.fill_with(|| rng.sample(StandardNormal));
        let rows = self.factor.chunks_exact(self.dim.max(1));
        displacement.iter_mut().zip(rows).for_each(|(out, row)| *out = E::of(dot(row, &self.draw)));
    }
}

/// The lower Cholesky factor.
fn factor(dim: usize, matrix: &[f64]) -> Result<Vec<f64>, InvalidMetric> {
    if let Some(at) = matrix.iter().position(|v| !v.is_finite()) {
        return Err(InvalidMetric::NotPositiveDefinite(format!(
            "element {:?} is {}",
            (at / dim, at % dim),
            matrix[at]
        )));
    }
    if dim == 0 {
        return Ok(Vec::new());
    }
    let matrix: Tensor<(usize, usize), f64, Cpu> = Tensor::from_vec(matrix.to_vec(), (dim, dim));
    matrix.try_cholesky().map(|l| l.to_vec()).map_err(|error| InvalidMetric::NotPositiveDefinite(error.to_string()))
}
