//! Linear algebra on batches of matrices: the last two axes are the matrix, those before the batch.
//!
//! All of it is computed in `f64`, in `f32` too: see [`BlockFunction`](crate::backend::BlockFunction).

use dfdx::shapes::{ReduceShape, Shape};

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::error::ShapeError;
use crate::tensor::{Tensor, shape_from_dims};

// Products, factorisations and substitutions of single matrices in `f64`.
pub(crate) mod dense;
// Diagonals, triangles, transposes, identities.
mod structure;
// Products with vectors and of vectors.
mod vectors;
// Factors of symmetric positive definite matrices, and what they solve.
mod cholesky;
// Substitution with triangular matrices.
mod triangular;
// Inverses and determinants of general matrices.
mod general;
// Distances for a covariance given by its factor.
mod mahalanobis;
// Linear state space models with normal noise.
mod state_space;

pub(crate) use state_space::{KalmanFilter, StateSpace, Trajectory, Variances};

pub use cholesky::NotPositiveDefinite;
pub use structure::MatrixShape;
pub use triangular::Triangle;

/// The shape of a batch of vectors: that of the matrices `M` without its last axis.
pub type Vectors<M> = <M as ReduceShape<<M as Shape>::LastAxis>>::Reduced;

/// The shape of one number for each matrix of shape `M`: that of the batch.
pub type Batch<M> = Vectors<Vectors<M>>;

/// The sizes of a batch of matrices.
#[derive(Clone, Debug)]
struct Matrices {
    batch: Vec<usize>,
    rows: usize,
    columns: usize,
}

impl Matrices {
    /// # Panics
    /// If there are fewer than two axes, with the shape.
    #[track_caller]
    fn of(operation: &'static str, dims: &[usize]) -> Self {
        match dims {
            [batch @ .., rows, columns] => Matrices { batch: batch.to_vec(), rows: *rows, columns: *columns },
            _ => panic!("{operation}: a matrix has two axes (shape {dims:?})"),
        }
    }

    /// The batch and the size of square matrices.
    ///
    /// # Panics
    /// If they are not square, with the shape.
    #[track_caller]
    fn square(operation: &'static str, dims: &[usize]) -> (Vec<usize>, usize) {
        let Matrices { batch, rows, columns } = Matrices::of(operation, dims);
        assert!(rows == columns, "{operation}: the matrices are not square (shape {dims:?})");
        (batch, rows)
    }
}

/// How many matrices or vectors a batch has.
fn count(batch: &[usize]) -> usize {
    batch.iter().product()
}

/// How many blocks of `batch` serve the blocks of `whole`: its sizes must be the last ones of
/// `whole`, or there must be only one.
///
/// # Panics
/// If it is neither, with both shapes.
#[track_caller]
fn serving(operation: &'static str, batch: &[usize], whole: &[usize], shapes: [&[usize]; 2]) -> usize {
    if whole.ends_with(batch) || count(batch) == 1 {
        return count(batch);
    }
    let problem = "the batch of the first must be the last axes of the batch of the second";
    let [left, right] = shapes.map(<[usize]>::to_vec);
    panic!("{}", ShapeError { operation, problem, left, right })
}

/// The tensor of `dims` whose type is known to have them.
fn shaped<R: Shape, E: Dtype, D: Backend<E>>(flat: Tensor<(usize,), E, D>, dims: &[usize]) -> Tensor<R, E, D> {
    flat.reshape_like(&shape_from_dims::<R>(dims).expect("the sizes of axes of one type"))
}
