//! Cholesky factors of symmetric positive definite matrices, and what they solve.

use dfdx::shapes::Shape;
use thiserror::Error as ThisError;

use super::dense::{self, Pivot};
use super::{Batch, Matrices, Triangle, count, triangular};
use crate::backend::{Backend, BlockFunction, Blocks, Product};
use crate::dtype::Dtype;
use crate::tensor::Tensor;

/// A matrix without a Cholesky factor.
#[derive(Clone, Debug, ThisError, PartialEq)]
#[error("the matrix{} is not positive definite: pivot {pivot} of its factorisation is {value}", at_batch(.batch))]
pub struct NotPositiveDefinite {
    /// Its index in the batch.
    pub batch: Vec<usize>,
    /// The first row whose pivot is not a positive number.
    pub pivot: usize,
    /// The pivot, the square of the factor's diagonal element if it had one.
    pub value: f64,
}

fn at_batch(batch: &[usize]) -> String {
    if batch.is_empty() { String::new() } else { format!(" at {batch:?} of the batch") }
}

/// The index in a batch of these sizes of its entry number `at`.
fn unravel(at: usize, batch: &[usize]) -> Vec<usize> {
    (0..batch.len()).map(|i| at / count(&batch[i + 1..]) % batch[i]).collect()
}

/// The lower factor of an n × n matrix; NaN, the lower triangle through, where there is none.
#[derive(Clone, Copy, Debug)]
struct Cholesky {
    n: usize,
}

impl BlockFunction<1> for Cholesky {
    fn lengths(&self) -> ([usize; 1], usize) {
        ([self.n * self.n], self.n * self.n)
    }

    fn work(&self) -> usize {
        self.n.pow(3) / 6
    }

    fn value(&self, [a]: [&[f64]; 1], l: &mut [f64]) {
        let n = self.n;
        if dense::cholesky(a, l, n).is_err() {
            (0..n).for_each(|i| l[i * n..][..i + 1].fill(f64::NAN));
        }
    }

    /// L⁻ᵀ · S · L⁻¹ with S symmetric, ½ the lower triangle of Lᵀ · G on both sides: the gradient
    /// for a matrix that stays symmetric. Murray, *Differentiation of the Cholesky decomposition*
    /// (2016), eq. 10.
    fn pullback(&self, _: [&[f64]; 1], l: &[f64], upstream: &[f64], [to_a]: [Option<&mut [f64]>; 1]) {
        let n = self.n;
        let Some(to_a) = to_a else { return };
        let mut product = vec![0.0; n * n];
        dense::add_product(&mut product, 0.5, &dense::transposed(l, n, n), upstream, [n, n, n]);
        for i in 0..n {
            (0..i).for_each(|j| product[j * n + i] = product[i * n + j]);
        }
        dense::substitute(l, Triangle::LowerTransposed, &mut product, [n, n]);
        let mut gradient = dense::transposed(&product, n, n);
        dense::substitute(l, Triangle::LowerTransposed, &mut gradient, [n, n]);
        for i in 0..n {
            for j in 0..n {
                // Equal but for rounding: exactly symmetric this way.
                to_a[i * n + j] += 0.5 * (gradient[i * n + j] + gradient[j * n + i]);
            }
        }
    }
}

impl<M: Shape, E: Dtype, D: Backend<E>> Tensor<M, E, D> {
    /// The lower Cholesky factors L of symmetric positive definite matrices A = L · Lᵀ, (.., n, n).
    ///
    /// Only the lower triangle is read. The gradient is symmetric, as torch's: right for matrices that
    /// are computed to be symmetric. Where a matrix is not positive definite its factor is NaN, and
    /// the others are not touched; [`Tensor::try_cholesky`] says which.
    ///
    /// ```
    /// use ppl_core::Tensor;
    /// let l = Tensor::<_, f64>::from([[4.0, 2.0], [2.0, 10.0]]).cholesky();
    /// assert_eq!(l.array(), [[2.0, 0.0], [1.0, 3.0]]);
    /// ```
    ///
    /// # Panics
    /// If the matrices are not square, with the shape.
    #[must_use]
    #[track_caller]
    pub fn cholesky(&self) -> Self {
        let (batch, n) = Matrices::square("cholesky", &self.dims());
        D::blocks(Cholesky { n }, [self.flat()], Blocks::equal(count(&batch))).reshape_like(&self.shape())
    }

    /// Like [`Tensor::cholesky`].
    ///
    /// # Errors
    /// If a matrix is not positive definite: its index in the batch, and the first bad pivot.
    ///
    /// # Panics
    /// If the matrices are not square, with the shape.
    #[track_caller]
    pub fn try_cholesky(&self) -> Result<Self, NotPositiveDefinite> {
        let (batch, n) = Matrices::square("cholesky", &self.dims());
        let factor = self.cholesky();
        let is_bad = |l: &[E]| l.iter().any(|v| v.is_nan());
        let bad = factor.read(|l| l.chunks_exact((n * n).max(1)).position(is_bad));
        match bad.and_then(|at| Some((at, self.pivot(at, n)?))) {
            Some((at, Pivot { index: pivot, value })) => {
                Err(NotPositiveDefinite { batch: unravel(at, &batch), pivot, value })
            }
            None => Ok(factor),
        }
    }

    /// The bad pivot of matrix number `at`.
    fn pivot(&self, at: usize, n: usize) -> Option<Pivot> {
        let a: Vec<f64> = self.read(|a| a[at * n * n..][..n * n].iter().map(|v| v.wide()).collect());
        dense::cholesky(&a, &mut vec![0.0; n * n], n).err()
    }

    /// Solves A · X = B with this tensor's lower Cholesky factors L of A.
    ///
    /// Shapes: L (.., n, n), B and X (.., n, m); the batch of L is that of B, its last axes, or one.
    ///
    /// # Panics
    /// If L is not square or the shapes do not fit, with the shapes.
    #[must_use]
    #[track_caller]
    pub fn cholesky_solve<R: Shape>(&self, b: &Tensor<R, E, D>) -> Tensor<R, E, D> {
        self.solve_triangular(&self.solve_triangular(b, Triangle::Lower), Triangle::LowerTransposed)
    }

    /// Like [`Tensor::cholesky_solve`] for vectors: L (.., n, n), b and x (.., n).
    ///
    /// # Panics
    /// If L is not square or the shapes do not fit, with the shapes.
    #[must_use]
    #[track_caller]
    pub fn cholesky_solve_vector<V: Shape>(&self, b: &Tensor<V, E, D>) -> Tensor<V, E, D> {
        self.solve_triangular_vector(&self.solve_triangular_vector(b, Triangle::Lower), Triangle::LowerTransposed)
    }

    /// The inverses A⁻¹ = L⁻ᵀ · L⁻¹ of the matrices whose lower Cholesky factors L this tensor holds.
    ///
    /// # Panics
    /// If L is not square, with the shape.
    #[must_use]
    #[track_caller]
    pub fn cholesky_inverse(&self) -> Self {
        let (batch, n) = Matrices::square("cholesky_inverse", &self.dims());
        let count = count(&batch);
        let one = Tensor::<(usize, usize), E, D>::eye_like((n, n)).into_flat();
        let blocks = Blocks { count, of: [count, 1] };
        let inverse = triangular::solve_flat(self.flat(), one, [n, n], Triangle::Lower, blocks);
        let cube = inverse.clone().reshape_like(&(count, n, n)).transpose().into_flat();
        let sizes = Product { batch: count, m: n, k: n, n, shared_right: false };
        D::matmul(cube, inverse, sizes).reshape_like(&self.shape())
    }

    /// ln det A of symmetric positive definite matrices, one number a matrix; NaN where one is not.
    ///
    /// # Panics
    /// If the matrices are not square, with the shape.
    #[must_use]
    #[track_caller]
    pub fn logdet(&self) -> Tensor<Batch<M>, E, D> {
        self.cholesky().log_abs_det_triangular() * E::of(2.0)
    }
}
