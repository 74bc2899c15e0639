//! A covariance or scale matrix: its lower Cholesky factor, and the form in which it was given.

use std::sync::Arc;

use dfdx::shapes::Shape;

use crate::backend::{Backend, BlockFunction, Blocks};
use crate::constraint::{LowerCholesky, PositiveDefinite};
use crate::distribution::{ParameterError, check_event, check_parameter};
use crate::dtype::Dtype;
use crate::ops::{Batch, Vectors};
use crate::tensor::{Flat, Operand, Tensor, shape_from_dims};
use crate::transform::{LowerCholeskyAffine, Map};

use super::shapes::LastAxis;

/// Positive-definite matrices by their lower Cholesky factors.
#[derive(Clone, Debug)]
pub(super) struct ScaleMatrix<M: Shape, E: Dtype, D: Backend<E>> {
    given: Given<M, E, D>,
    /// NaN where the matrix is not positive definite.
    tril: Tensor<M, E, D>,
}

/// What was given, by the parameter's name.
#[derive(Clone, Debug)]
enum Given<M: Shape, E: Dtype, D: Backend<E>> {
    Matrix(&'static str, Tensor<M, E, D>),
    Inverse(&'static str, Tensor<M, E, D>),
    Tril,
}

/// A parameter that is square matrices.
///
/// # Panics
/// If it is not, with the shape.
#[track_caller]
fn square<M: Shape, E: Dtype, D: Backend<E>>(distribution: &'static str, operand: Operand<M, E, D>) -> Tensor<M, E, D> {
    let dims: Vec<usize> = operand.shape().map(|shape| shape.concrete().into()).unwrap_or_default();
    let square = dims.len() >= 2 && dims[dims.len() - 1] == dims[dims.len() - 2];
    match operand {
        Operand::Full(matrix) if square => matrix,
        _ => panic!("{distribution}: a matrix of shape {dims:?} is not square"),
    }
}

/// The shape of the batch of matrices of a shape.
pub(super) fn batch_of<M: Shape>(matrices: M) -> Batch<M> {
    let dims: Vec<usize> = matrices.concrete().into();
    shape_from_dims(&dims[..dims.len() - 2]).expect("a matrix without its last axes")
}

/// The shape of one vector for each matrix of a shape.
pub(super) fn vectors_of<M: Shape>(matrices: M) -> Vectors<M> {
    let dims: Vec<usize> = matrices.concrete().into();
    shape_from_dims(&dims[..dims.len() - 1]).expect("a matrix without its last axis")
}

impl<M: Shape, E: Dtype, D: Backend<E>> ScaleMatrix<M, E, D> {
    /// The matrices themselves, as the parameter `name`.
    ///
    /// # Panics
    /// If they are not square.
    #[track_caller]
    pub(super) fn from_matrix(distribution: &'static str, name: &'static str, operand: Operand<M, E, D>) -> Self {
        let matrix = square(distribution, operand);
        ScaleMatrix { tril: matrix.cholesky(), given: Given::Matrix(name, matrix) }
    }

    /// Their inverses, as the parameter `name`.
    ///
    /// # Panics
    /// If they are not square.
    #[track_caller]
    pub(super) fn from_inverse(distribution: &'static str, name: &'static str, operand: Operand<M, E, D>) -> Self {
        let matrix = square(distribution, operand);
        ScaleMatrix { tril: matrix.cholesky().cholesky_inverse().cholesky(), given: Given::Inverse(name, matrix) }
    }

    /// Their lower Cholesky factors, as the parameter `scale_tril`.
    ///
    /// # Panics
    /// If they are not square.
    #[track_caller]
    pub(super) fn from_tril(distribution: &'static str, operand: Operand<M, E, D>) -> Self {
        ScaleMatrix { tril: square(distribution, operand), given: Given::Tril }
    }

    /// The factors.
    pub(super) fn tril(&self) -> &Tensor<M, E, D> {
        &self.tril
    }

    /// The matrices, as given or as products of their factors.
    pub(super) fn matrix(&self) -> Tensor<M, E, D> {
        if let Given::Matrix(_, matrix) = &self.given {
            return matrix.clone();
        }
        let count = batch_of(self.tril.shape()).num_elements();
        D::blocks(Gram { n: self.size() }, [self.tril.flat()], Blocks::equal(count)).reshape_like(&self.tril.shape())
    }

    /// The diagonals of the matrices: of what was given, or sums of squares of the factors' rows.
    pub(super) fn diagonal(&self) -> Tensor<Vectors<M>, E, D> {
        match &self.given {
            Given::Matrix(_, matrix) => matrix.diagonal(),
            Given::Inverse(..) | Given::Tril => self.tril.tril(0).square().sum::<Vectors<M>, LastAxis<M>>(),
        }
    }

    /// The map loc + L x of rows x, whose covariance it makes of a standard one.
    pub(super) fn map_from_standard(&self, loc: Flat<E, D>) -> Map<E, D> {
        let shape = (self.batch().num_elements(), self.size(), self.size());
        Arc::new(LowerCholeskyAffine::each(loc, self.tril.clone().reshape_like(&shape)))
    }

    /// The number of rows.
    pub(super) fn size(&self) -> usize {
        self.tril.dims().last().copied().unwrap_or(1)
    }

    /// The shape of the batch.
    pub(super) fn batch(&self) -> Batch<M> {
        batch_of(self.tril.shape())
    }

    /// The shape of one vector a matrix.
    pub(super) fn vectors(&self) -> Vectors<M> {
        vectors_of(self.tril.shape())
    }

    /// Repeated to a larger batch; the last two axes of `shape` are those of the matrices.
    ///
    /// # Panics
    /// If those differ, or another axis that is not of one element, with both shapes.
    #[track_caller]
    pub(super) fn expand<R: Shape>(&self, shape: R) -> ScaleMatrix<R, E, D> {
        check_event(&self.tril.dims(), &shape.concrete().into(), 2);
        let given = match &self.given {
            Given::Matrix(name, matrix) => Given::Matrix(name, matrix.expand(shape)),
            Given::Inverse(name, matrix) => Given::Inverse(name, matrix.expand(shape)),
            Given::Tril => Given::Tril,
        };
        ScaleMatrix { given, tril: self.tril.expand(shape) }
    }

    /// Whether each matrix is of its kind, in the form in which it was given.
    ///
    /// # Errors
    /// If one is not, with the parameter's name.
    pub(super) fn check(&self) -> Result<(), ParameterError> {
        match &self.given {
            Given::Matrix(name, matrix) | Given::Inverse(name, matrix) => {
                check_parameter(name, &Operand::Full(matrix.clone()), &PositiveDefinite)
            }
            Given::Tril => check_parameter("scale_tril", &Operand::Full(self.tril.clone()), &LowerCholesky),
        }
    }

    /// The first entry of the factor of one element of the batch.
    pub(super) fn corner(&self, element: usize) -> f64 {
        let at = element * self.size() * self.size();
        self.tril.read(|values| values.get(at).map_or(f64::NAN, |v| v.wide()))
    }
}

/// L · Lᵀ of the lower triangle L.
#[derive(Clone, Copy, Debug)]
struct Gram {
    n: usize,
}

impl BlockFunction<1> for Gram {
    fn lengths(&self) -> ([usize; 1], usize) {
        ([self.n * self.n], self.n * self.n)
    }

    fn work(&self) -> usize {
        self.n.pow(3) / 6
    }

    fn value(&self, [l]: [&[f64]; 1], out: &mut [f64]) {
        let n = self.n;
        for i in 0..n {
            for j in 0..=i {
                out[i * n + j] = (0..=j).map(|k| l[i * n + k] * l[j * n + k]).sum();
                out[j * n + i] = out[i * n + j];
            }
        }
    }

    /// The lower triangle of (G + Gᵀ) · L.
    fn pullback(&self, [l]: [&[f64]; 1], _: &[f64], upstream: &[f64], [to_l]: [Option<&mut [f64]>; 1]) {
        let (Some(to_l), n) = (to_l, self.n) else { return };
        for i in 0..n {
            for j in 0..=i {
                let both = |k: usize| upstream[i * n + k] + upstream[k * n + i];
                to_l[i * n + j] += (j..n).map(|k| both(k) * l[k * n + j]).sum::<f64>();
            }
        }
    }
}
