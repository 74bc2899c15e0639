//! Location and a lower triangular matrix.

use std::sync::Arc;

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::ops::Triangle;
use crate::tensor::Tensor;

use super::{Flat, Map, Transform, repeat_parameter};

/// y = loc + L x for rows x, with a lower triangular matrix L whose diagonal has no zeros: the map of standard
/// normal rows to those with covariance L Lᵀ. Gradients reach both parameters.
#[derive(Clone, Debug)]
pub struct LowerCholeskyAffine<E: Dtype, D: Backend<E>> {
    loc: Flat<E, D>,
    /// One matrix, or one for each row; what is above diagonals is zero.
    tril: Tensor<(usize, usize, usize), E, D>,
}

impl<E: Dtype, D: Backend<E>> LowerCholeskyAffine<E, D> {
    /// One location and one matrix for all rows. Only the lower triangle is read.
    ///
    /// # Panics
    /// If the matrix is not square, or the location has another length than its rows.
    #[track_caller]
    pub fn new(loc: Flat<E, D>, scale_tril: Tensor<(usize, usize), E, D>) -> Self {
        let (dims, len) = (scale_tril.dims(), loc.numel());
        assert!(dims == [len, len], "LowerCholeskyAffine: a matrix of shape {dims:?} for a location of {len} numbers");
        Self::each(loc, scale_tril.reshape_like(&(1, len, len)))
    }

    /// A matrix (.., n, n) for each row, or one for all; the location has one number, n, or as many as all rows.
    pub(crate) fn each(loc: Flat<E, D>, scale_tril: Tensor<(usize, usize, usize), E, D>) -> Self {
        LowerCholeskyAffine { loc, tril: scale_tril.tril(0) }
    }

    fn len(&self) -> usize {
        self.tril.dims()[2]
    }

    /// The numbers as rows.
    ///
    /// # Panics
    /// If they are no whole rows.
    #[track_caller]
    fn rows(&self, x: Flat<E, D>) -> Tensor<(usize, usize), E, D> {
        let (numel, len) = (x.numel(), self.len());
        assert!(
            len > 0 && numel.is_multiple_of(len),
            "LowerCholeskyAffine: {numel} numbers are not whole rows of {len}"
        );
        x.reshape_like(&(numel / len, len))
    }

    /// The location of each row.
    fn locs(&self, shape: (usize, usize)) -> Tensor<(usize, usize), E, D> {
        let all = self.loc.numel() == shape.0 * shape.1;
        if all { self.loc.clone().reshape_like(&shape) } else { self.loc.expand(shape) }
    }
}

impl<E: Dtype, D: Backend<E>> Transform<E, D> for LowerCholeskyAffine<E, D> {
    fn name(&self) -> &'static str {
        "LowerCholeskyAffine"
    }
    fn event_lens(&self) -> (usize, usize) {
        (self.len(), self.len())
    }
    fn repeated(&self, parts: &[usize], count: usize) -> Option<Map<E, D>> {
        let (matrices, len) = (self.tril.dims()[0], self.len());
        let whole = |p: &Flat<E, D>| p.numel() <= len;
        if matrices == 1 && whole(&self.loc) {
            return None;
        }
        let loc = if whole(&self.loc) { self.loc.clone() } else { repeat_parameter(&self.loc, parts, count) };
        let tril = match matrices {
            1 => self.tril.clone(),
            _ => {
                let tril = repeat_parameter(&self.tril.flat(), parts, count);
                let rows = tril.numel() / (len * len);
                tril.reshape_like(&(rows, len, len))
            }
        };
        Some(Arc::new(LowerCholeskyAffine { loc, tril }))
    }
    fn forward(&self, x: Flat<E, D>) -> Flat<E, D> {
        let x = self.rows(x);
        (self.tril.matvec(&x) + self.locs(x.shape())).into_flat()
    }
    fn inverse(&self, y: Flat<E, D>) -> Flat<E, D> {
        let y = self.rows(y);
        let moved = &y - self.locs(y.shape());
        self.tril.solve_triangular_vector(&moved, Triangle::Lower).into_flat()
    }
    fn log_abs_det(&self, x: &Flat<E, D>, _: &Flat<E, D>) -> Flat<E, D> {
        let rows = x.numel() / self.len();
        self.tril.log_abs_det_triangular().into_flat().expand((rows,))
    }
}
