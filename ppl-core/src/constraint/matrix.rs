//! Positive-definite and correlation matrices, and their Cholesky factors.

use std::sync::Arc;

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::transform::{self, Compose, LowerTriangle, Map, Ones, Softmax, cholesky};

use super::{Constraint, event};

/// The first element that is not finite, above the diagonal and not 0, or on it and not positive.
fn not_a_factor<E: Dtype>(matrix: &[E], n: usize) -> Option<usize> {
    let wrong = |at: usize| {
        let (row, column, value) = (at / n, at % n, matrix[at]);
        !value.is_finite() || (column > row && value != E::of(0.0)) || (column == row && value <= E::of(0.0))
    };
    (0..matrix.len()).find(|&at| wrong(at))
}

/// How far an entry of a symmetric matrix may be from that of its transpose, as a share of the largest
/// entry: what rounding leaves.
pub(crate) fn symmetry_slack<E: Dtype>() -> f64 {
    event::slack::<E>(1)
}

/// How far the squares of a row of length 1 with `n` numbers may be from adding up to 1.
pub(crate) fn unit_row_slack<E: Dtype>(n: usize) -> f64 {
    event::slack::<E>(n)
}

/// The first element that is not finite or not that of the transpose within rounding; else the
/// diagonal element whose pivot is not positive.
fn not_positive_definite<E: Dtype>(matrix: &[E], n: usize) -> Option<usize> {
    let size = matrix.iter().fold(0.0, |max: f64, v| max.max(v.wide().abs()));
    let same = |a: E, b: E| (a.wide() - b.wide()).abs() <= symmetry_slack::<E>() * size;
    let wrong = |at: usize| !matrix[at].is_finite() || !same(matrix[at], matrix[at % n * n + at / n]);
    (0..matrix.len()).find(|&at| wrong(at)).or_else(|| {
        let wide: Vec<f64> = matrix.iter().map(|v| v.wide()).collect();
        cholesky::factor(&wide, n).err().map(|row| row * n + row)
    })
}

/// The first element of the first row whose squares do not sum to 1 within rounding.
fn not_unit_rows<E: Dtype>(matrix: &[E], n: usize) -> Option<usize> {
    event::first_outside(matrix, n, |row| {
        let norm: f64 = row.iter().map(|v| v.wide().powi(2)).sum();
        let unit = (norm - 1.0).abs() <= unit_row_slack::<E>(n);
        (!unit).then_some(0)
    })
}

/// A map from the lower triangle of as many numbers as a matrix has.
fn from_matrix<E: Dtype, D: Backend<E>>(triangle: LowerTriangle, map: Map<E, D>) -> Map<E, D> {
    Arc::new(Compose::new(vec![Arc::new(triangle), map]))
}

macro_rules! matrices {
    ($(#[$doc:meta])* $Name:ident, $describe:literal, $violation:expr, $biject_to:expr, $transform_to:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default)]
        pub struct $Name;

        impl<E: Dtype, D: Backend<E>> Constraint<E, D> for $Name {
            fn describe(&self) -> String {
                $describe.into()
            }
            fn event_axes(&self) -> usize {
                2
            }
            fn violation(&self, values: &[E], dims: &[usize]) -> Option<usize> {
                event::first_matrix_outside(values, dims, $violation)
            }
            fn biject_to(&self, dims: &[usize]) -> Option<Map<E, D>> {
                let map: fn(usize, usize) -> Map<E, D> = $biject_to;
                Some(map(event::order(1, dims)?, event::count(dims, 2)))
            }
            fn transform_to(&self, dims: &[usize]) -> Option<Map<E, D>> {
                let map: fn(usize) -> Map<E, D> = $transform_to;
                event::order(1, dims).map(map)
            }
        }
    };
}

matrices! {
    /// Lower-triangular matrices with a positive diagonal. The unconstrained numbers are the lower
    /// triangle, row by row, with the logarithms of the diagonal.
    LowerCholesky, "a lower-triangular matrix with a positive diagonal", not_a_factor,
    |n, _| Arc::new(transform::LowerCholesky::new(n)),
    |n| from_matrix(LowerTriangle::new(n), Arc::new(transform::LowerCholesky::new(n)))
}

matrices! {
    /// Symmetric matrices with a Cholesky factor. The unconstrained numbers are the factor's, as for
    /// [`LowerCholesky`].
    PositiveDefinite, "a symmetric positive-definite matrix", not_positive_definite,
    |n, _| Arc::new(transform::PositiveDefinite::new(n)),
    |n| from_matrix(LowerTriangle::new(n), Arc::new(transform::PositiveDefinite::new(n)))
}

matrices! {
    /// Cholesky factors of correlation matrices: lower-triangular, with a positive diagonal and rows
    /// of length 1. The unconstrained numbers are n(n−1)/2 partial correlations, by artanh.
    CorrCholesky, "the Cholesky factor of a correlation matrix",
    |matrix, n| not_a_factor(matrix, n).or_else(|| not_unit_rows(matrix, n)),
    |n, count| if n == 1 { Arc::new(Ones::new(count)) } else { Arc::new(transform::CorrCholesky::new(n)) },
    |n| match n {
        // The only factor of one row is 1, and so is the softmax of one number.
        1 => Arc::new(Softmax::new(1)),
        _ => from_matrix(LowerTriangle::strict(n), Arc::new(transform::CorrCholesky::new(n))),
    }
}

matrices! {
    /// Symmetric positive-definite matrices with ones on the diagonal. The unconstrained numbers are
    /// n(n−1)/2 partial correlations, by artanh.
    CorrMatrix, "a correlation matrix",
    |matrix, n| {
        let unit = |at: usize| (matrix[at].wide() - 1.0).abs() <= event::slack::<E>(1);
        let off_diagonal = (0..n).map(|i| i * (n + 1)).find(|&at| !unit(at));
        off_diagonal.or_else(|| not_positive_definite(matrix, n))
    },
    |n, count| if n == 1 { Arc::new(Ones::new(count)) } else { Arc::new(transform::CorrMatrix::new(n)) },
    |n| match n {
        1 => Arc::new(Softmax::new(1)),
        _ => from_matrix(LowerTriangle::strict(n), Arc::new(transform::CorrMatrix::new(n))),
    }
}
