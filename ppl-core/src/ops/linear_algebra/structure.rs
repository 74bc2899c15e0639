//! Diagonals, triangles, transposes, outer products and products with vectors.

use dfdx::shapes::Shape;

use super::{Matrices, Vectors, count, shaped};
use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::tensor::Tensor;

impl<M: Shape, E: Dtype, D: Backend<E>> Tensor<M, E, D> {
    /// The diagonals of square matrices (.., n, n), as vectors (.., n).
    ///
    /// # Panics
    /// If the matrices are not square, with the shape.
    #[must_use]
    #[track_caller]
    pub fn diagonal(&self) -> Tensor<Vectors<M>, E, D> {
        let (batch, n) = Matrices::square("diagonal", &self.dims());
        let positions: Vec<usize> = (0..count(&batch) * n).map(|e| e * n + e % n).collect();
        shaped(D::take(self.flat(), positions.into()), &[batch, vec![n]].concat())
    }
}
