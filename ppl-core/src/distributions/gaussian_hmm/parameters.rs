//! The parameters of a linear model with normal noise, without the types of their shapes.

use std::fmt::Debug;
use std::sync::Arc;

use dfdx::shapes::Shape;

use crate::backend::Backend;
use crate::constraint::Real;
use crate::distribution::{Distribution, ParameterError, check_parameter, unravel};
use crate::dtype::Dtype;
use crate::shared::Shared;
use crate::tensor::{Flat, Operand, Tensor};

use super::super::MultivariateNormal;
use super::super::sequence::{expanded_dims, repeated};

/// A normal distribution of noise, whatever the shape of its batch.
trait Normal<E: Dtype, D: Backend<E>>: Debug + Shared {
    fn loc(&self) -> Flat<E, D>;
    fn scale_tril(&self) -> Flat<E, D>;
    /// The sizes of its matrices.
    fn dims(&self) -> Vec<usize>;
    fn check(&self) -> Result<(), ParameterError>;
}

impl<M: Shape, E: Dtype, D: Backend<E>> Normal<E, D> for MultivariateNormal<M, E, D> {
    fn loc(&self) -> Flat<E, D> {
        MultivariateNormal::loc(self).into_flat()
    }

    fn scale_tril(&self) -> Flat<E, D> {
        MultivariateNormal::scale_tril(self).flat()
    }

    fn dims(&self) -> Vec<usize> {
        MultivariateNormal::scale_tril(self).dims()
    }

    fn check(&self) -> Result<(), ParameterError> {
        self.check_parameters()
    }
}

/// One of the three normal distributions.
#[derive(Clone, Debug)]
pub(super) struct Noise<E: Dtype, D: Backend<E>> {
    /// The names of its parameters.
    names: [&'static str; 4],
    normal: Arc<dyn Normal<E, D>>,
    /// The sizes of its matrices, to which those of `normal` are repeated.
    dims: Vec<usize>,
}

pub(super) const INITIAL: [&str; 4] =
    ["initial_dist.loc", "initial_dist.covariance_matrix", "initial_dist.precision_matrix", "initial_dist.scale_tril"];
pub(super) const TRANSITION: [&str; 4] = [
    "transition_dist.loc",
    "transition_dist.covariance_matrix",
    "transition_dist.precision_matrix",
    "transition_dist.scale_tril",
];
pub(super) const OBSERVATION: [&str; 4] = [
    "observation_dist.loc",
    "observation_dist.covariance_matrix",
    "observation_dist.precision_matrix",
    "observation_dist.scale_tril",
];

impl<E: Dtype, D: Backend<E>> Noise<E, D> {
    pub(super) fn new<M: Shape>(names: [&'static str; 4], normal: MultivariateNormal<M, E, D>) -> Self {
        Noise { names, dims: Normal::dims(&normal), normal: Arc::new(normal) }
    }

    /// For a whole batch of matrices of the sizes `whole`.
    pub(super) fn expand(&self, whole: &[usize]) -> Self {
        Noise { names: self.names, normal: self.normal.clone(), dims: expanded_dims(&self.dims, whole) }
    }

    pub(super) fn dims(&self) -> Vec<usize> {
        self.dims.clone()
    }

    /// Its mean and its lower Cholesky factor.
    pub(super) fn flats(&self) -> [Flat<E, D>; 2] {
        let (from, to) = (self.normal.dims(), &self.dims);
        let vectors = |dims: &[usize]| dims[..dims.len() - 1].to_vec();
        let loc = repeated(&self.normal.loc(), &vectors(&from), &vectors(to));
        [loc, repeated(&self.normal.scale_tril(), &from, to)]
    }

    pub(super) fn check(&self) -> Result<(), ParameterError> {
        self.normal.check().map_err(|error| {
            let named = self.names.iter().find(|name| name.ends_with(error.parameter));
            ParameterError { parameter: named.copied().unwrap_or(error.parameter), ..error }
        })
    }

    /// The first numbers of its mean and of its factor.
    pub(super) fn first(&self) -> [(&'static str, f64); 2] {
        let [loc, factor] = self.flats().map(|flat| first(&flat));
        [(self.names[0], loc), (self.names[3], factor)]
    }
}

fn first<E: Dtype, D: Backend<E>>(flat: &Flat<E, D>) -> f64 {
    flat.read(|values| values.first().map_or(f64::NAN, |v| v.wide()))
}

/// One of the two matrices, with the sizes that it was given with.
#[derive(Clone, Debug)]
pub(super) struct Matrix<E: Dtype, D: Backend<E>> {
    name: &'static str,
    pub(super) flat: Flat<E, D>,
    pub(super) dims: Vec<usize>,
}

impl<E: Dtype, D: Backend<E>> Matrix<E, D> {
    pub(super) fn new<M: Shape>(name: &'static str, matrix: Tensor<M, E, D>) -> Self {
        Matrix { name, dims: matrix.dims(), flat: matrix.into_flat() }
    }

    /// For a whole batch of matrices of the sizes `whole`.
    pub(super) fn expand(&self, whole: &[usize]) -> Self {
        let dims = expanded_dims(&self.dims, whole);
        Matrix { name: self.name, flat: repeated(&self.flat, &self.dims, &dims), dims }
    }

    pub(super) fn check(&self) -> Result<(), ParameterError> {
        check_parameter(self.name, &Operand::Full(self.flat.clone()), &Real)
            .map_err(|error| ParameterError { element: unravel(error.element[0], &self.dims), ..error })
    }

    /// Its first number.
    pub(super) fn first(&self) -> (&'static str, f64) {
        (self.name, first(&self.flat))
    }
}
