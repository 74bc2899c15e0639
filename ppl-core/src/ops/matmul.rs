//! Matrix products of vectors, matrices and batches of matrices.

use dfdx::shapes::{Dim, Shape};

use crate::backend::{Backend, Product};
use crate::dtype::Dtype;
use crate::error::ShapeError;
use crate::tensor::Tensor;

/// Shapes with a matrix product: vector · matrix, matrix · vector, matrix · matrix, and batches of
/// matrices with one matrix or with as many.
#[diagnostic::on_unimplemented(
    message = "there is no matrix product of shapes `{Self}` and `{R}`",
    note = "the last axis of the left shape and the last but one of the right must be of the same type"
)]
pub trait MatMulShape<R: Shape>: Shape {
    /// The shape of the product.
    type Output: Shape;

    /// The sizes and the shape of the product; `None` where sizes known only at run time differ.
    fn product(&self, right: &R) -> Option<(Product, Self::Output)>;
}

impl<K: Dim, N: Dim> MatMulShape<(K, N)> for (K,) {
    type Output = (N,);
    fn product(&self, right: &(K, N)) -> Option<(Product, (N,))> {
        let (k, n) = (self.0.size(), right.1.size());
        let product = Product { batch: 1, m: 1, k, n, shared_right: true };
        (self.0 == right.0).then_some((product, (right.1,)))
    }
}

impl<M: Dim, K: Dim> MatMulShape<(K,)> for (M, K) {
    type Output = (M,);
    fn product(&self, right: &(K,)) -> Option<(Product, (M,))> {
        let product = Product { batch: 1, m: self.0.size(), k: self.1.size(), n: 1, shared_right: true };
        (self.1 == right.0).then_some((product, (self.0,)))
    }
}

impl<M: Dim, K: Dim, N: Dim> MatMulShape<(K, N)> for (M, K) {
    type Output = (M, N);
    fn product(&self, right: &(K, N)) -> Option<(Product, (M, N))> {
        let product = Product { batch: 1, m: self.0.size(), k: self.1.size(), n: right.1.size(), shared_right: true };
        (self.1 == right.0).then_some((product, (self.0, right.1)))
    }
}

impl<B: Dim, M: Dim, K: Dim, N: Dim> MatMulShape<(K, N)> for (B, M, K) {
    type Output = (B, M, N);
    fn product(&self, right: &(K, N)) -> Option<(Product, (B, M, N))> {
        let m = self.0.size() * self.1.size();
        let product = Product { batch: 1, m, k: self.2.size(), n: right.1.size(), shared_right: true };
        (self.2 == right.0).then_some((product, (self.0, self.1, right.1)))
    }
}

impl<B: Dim, M: Dim, K: Dim, N: Dim> MatMulShape<(B, K, N)> for (B, M, K) {
    type Output = (B, M, N);
    fn product(&self, right: &(B, K, N)) -> Option<(Product, (B, M, N))> {
        let (batch, m, k, n) = (self.0.size(), self.1.size(), self.2.size(), right.2.size());
        let product = Product { batch, m, k, n, shared_right: false };
        (self.0 == right.0 && self.2 == right.1).then_some((product, (self.0, self.1, right.2)))
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> Tensor<S, E, D> {
    /// The matrix product.
    ///
    /// # Errors
    /// If sizes known only at run time do not fit.
    pub fn try_matmul<R: Shape>(&self, right: &Tensor<R, E, D>) -> Result<Tensor<S::Output, E, D>, ShapeError>
    where
        S: MatMulShape<R>,
    {
        match self.shape().product(&right.shape()) {
            Some((sizes, shape)) => Ok(D::matmul(self.flat(), right.flat(), sizes).reshape_like(&shape)),
            None => Err(ShapeError {
                operation: "matmul",
                problem: "the inner sizes (or the batch sizes) differ",
                left: self.dims(),
                right: right.dims(),
            }),
        }
    }

    /// The matrix product.
    ///
    /// # Panics
    /// If sizes known only at run time do not fit, with both shapes.
    #[must_use]
    #[track_caller]
    pub fn matmul<R: Shape>(&self, right: &Tensor<R, E, D>) -> Tensor<S::Output, E, D>
    where
        S: MatMulShape<R>,
    {
        self.try_matmul(right).unwrap_or_else(|error| panic!("{error}"))
    }
}
