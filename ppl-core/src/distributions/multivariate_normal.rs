//! The multivariate normal distribution.

use std::f64::consts::TAU;
use std::sync::Arc;

use dfdx::shapes::Shape;
use rand::Rng as _;
use rand_distr::StandardNormal;

use crate::backend::Backend;
use crate::constraint::{LowerCholesky, PositiveDefinite, Real, RealVector, Support};
use crate::distribution::{Distribution, ParameterError, check_parameter};
use crate::dtype::Dtype;
use crate::ops::{Batch, Vectors};
use crate::rng::Rng;
use crate::tensor::{Flat, IntoTensor, Operand, Tensor, shape_from_dims};

use super::shapes::{LastAxis, check_value_shape, number_at};
use super::univariate::draws::draws;

/// The normal distribution of vectors with mean `loc` and covariance Σ = L Lᵀ.
///
/// Density: exp(−½ |L⁻¹(x − loc)|²) / ((2π)^(n/2) |det L|).
///
/// Shapes: the matrix has the batch's axes and two more of n elements each; `loc` and values have the
/// batch's axes and one more. `loc` may be one number. Only the lower triangle of a matrix is read.
///
/// ```
/// use ppl_core::{Tensor, distribution::Distribution, distributions::MultivariateNormal};
/// let covariance = Tensor::<_, f64>::from([[4.0, 1.0], [1.0, 1.0]]);
/// let normal = MultivariateNormal::new(Tensor::from([0.0, 1.0]), covariance);
/// let at_mean = normal.log_prob(&Tensor::from([0.0, 1.0])).item();
/// assert!((at_mean + (2.0 * std::f64::consts::PI * 3.0_f64.sqrt()).ln()).abs() < 1e-12);
/// ```
///
/// Reference: Bishop, *Pattern Recognition and Machine Learning*, ch. 2.3.
#[derive(Clone, Debug)]
pub struct MultivariateNormal<M: Shape, E: Dtype, D: Backend<E>> {
    loc: Operand<Vectors<M>, E, D>,
    given: Given<M, E, D>,
    /// The lower Cholesky factor of the covariance; NaN where that is not positive definite.
    scale_tril: Tensor<M, E, D>,
}

/// The matrix as it was given, for checks.
#[derive(Clone, Debug)]
enum Given<M: Shape, E: Dtype, D: Backend<E>> {
    Covariance(Tensor<M, E, D>),
    Precision(Tensor<M, E, D>),
    ScaleTril,
}

impl<M: Shape, E: Dtype, D: Backend<E>> MultivariateNormal<M, E, D> {
    /// Mean and covariance, which must be symmetric and positive definite.
    ///
    /// # Panics
    /// If the matrix is not square, or `loc` has another shape than its rows.
    #[track_caller]
    pub fn new(loc: impl IntoTensor<Vectors<M>, E, D>, covariance_matrix: impl IntoTensor<M, E, D>) -> Self {
        let covariance = matrix(covariance_matrix.into_operand());
        let scale_tril = covariance.cholesky();
        Self::made(loc.into_operand(), Given::Covariance(covariance), scale_tril)
    }

    /// Mean and precision, the inverse of the covariance.
    ///
    /// # Panics
    /// As [`MultivariateNormal::new`].
    #[track_caller]
    pub fn from_precision(loc: impl IntoTensor<Vectors<M>, E, D>, precision_matrix: impl IntoTensor<M, E, D>) -> Self {
        let precision = matrix(precision_matrix.into_operand());
        let scale_tril = precision.cholesky().cholesky_inverse().cholesky();
        Self::made(loc.into_operand(), Given::Precision(precision), scale_tril)
    }

    /// Mean and lower Cholesky factor of the covariance, with a positive diagonal: the cheapest and
    /// most exact form.
    ///
    /// # Panics
    /// As [`MultivariateNormal::new`].
    #[track_caller]
    pub fn from_scale_tril(loc: impl IntoTensor<Vectors<M>, E, D>, scale_tril: impl IntoTensor<M, E, D>) -> Self {
        Self::made(loc.into_operand(), Given::ScaleTril, matrix(scale_tril.into_operand()))
    }

    #[track_caller]
    fn made(loc: Operand<Vectors<M>, E, D>, given: Given<M, E, D>, scale_tril: Tensor<M, E, D>) -> Self {
        let normal = MultivariateNormal { loc, given, scale_tril };
        if let Operand::Full(loc) = &normal.loc {
            check_value_shape("MultivariateNormal", loc.shape(), normal.vectors());
        }
        normal
    }

    /// The shape of values.
    fn vectors(&self) -> Vectors<M> {
        let dims = self.scale_tril.dims();
        shape_from_dims(&dims[..dims.len() - 1]).expect("a matrix without its last axis")
    }

    fn size(&self) -> usize {
        self.scale_tril.dims().last().copied().unwrap_or(1)
    }

    /// The mean.
    pub fn loc(&self) -> Tensor<Vectors<M>, E, D> {
        self.loc.spread(self.vectors())
    }

    /// The lower Cholesky factor of the covariance.
    pub fn scale_tril(&self) -> &Tensor<M, E, D> {
        &self.scale_tril
    }
}

/// A parameter that is square matrices.
#[track_caller]
fn matrix<M: Shape, E: Dtype, D: Backend<E>>(operand: Operand<M, E, D>) -> Tensor<M, E, D> {
    let dims: Vec<usize> = operand.shape().map(|shape| shape.concrete().into()).unwrap_or_default();
    let square = dims.len() >= 2 && dims[dims.len() - 1] == dims[dims.len() - 2];
    match operand {
        Operand::Full(matrix) if square => matrix,
        _ => panic!("MultivariateNormal: a matrix of shape {dims:?} is not square"),
    }
}

impl<M: Shape, E: Dtype, D: Backend<E>> Distribution<E, D> for MultivariateNormal<M, E, D> {
    type Value = Tensor<Vectors<M>, E, D>;
    type Batch = Batch<M>;

    fn name(&self) -> &'static str {
        "MultivariateNormal"
    }

    fn batch_shape(&self) -> Batch<M> {
        let dims = self.scale_tril.dims();
        shape_from_dims(&dims[..dims.len() - 2]).expect("a matrix without its last axes")
    }

    fn event_dims(&self) -> Vec<usize> {
        vec![self.size()]
    }

    fn draw(&self, rng: &mut Rng) -> Self::Value {
        let shape = self.vectors();
        let noise = Flat::vector(draws(shape.num_elements(), rng, |_, rng| rng.sample(StandardNormal)));
        self.scale_tril.tril(0).matvec(&noise.reshape_like(&shape)) + self.loc()
    }

    fn has_rsample(&self) -> bool {
        true
    }

    fn log_prob(&self, value: &Self::Value) -> Tensor<Batch<M>, E, D> {
        check_value_shape("MultivariateNormal", value.shape(), self.vectors());
        let distance = self.scale_tril.mahalanobis(value, &self.loc());
        let constant = E::of(0.5 * self.size() as f64 * TAU.ln());
        distance * E::of(-0.5) - self.scale_tril.log_abs_det_triangular() - constant
    }

    fn support(&self) -> Support<E, D> {
        Arc::new(RealVector)
    }

    fn mean(&self) -> Option<Self::Value> {
        Some(self.loc())
    }

    /// The diagonal of the covariance.
    fn variance(&self) -> Option<Self::Value> {
        Some(self.scale_tril.tril(0).square().sum::<Vectors<M>, LastAxis<M>>())
    }

    fn entropy(&self) -> Option<Tensor<Batch<M>, E, D>> {
        let constant = E::of(0.5 * self.size() as f64 * (1.0 + TAU.ln()));
        Some(self.scale_tril.log_abs_det_triangular() + constant)
    }

    fn check_parameters(&self) -> Result<(), ParameterError> {
        check_parameter("loc", &self.loc, &Real)?;
        let full = |matrix: &Tensor<M, E, D>| Operand::Full(matrix.clone());
        match &self.given {
            Given::Covariance(sigma) => check_parameter("covariance_matrix", &full(sigma), &PositiveDefinite),
            Given::Precision(precision) => check_parameter("precision_matrix", &full(precision), &PositiveDefinite),
            Given::ScaleTril => check_parameter("scale_tril", &full(&self.scale_tril), &LowerCholesky),
        }
    }

    /// The mean and the diagonal of the factor at the first entry of the element.
    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        let at = element * self.size();
        let corner = self.scale_tril.read(|values| values.get(at * self.size()).map_or(f64::NAN, |v| v.wide()));
        vec![("loc", number_at(&self.loc, at)), ("scale_tril", corner)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cpu, Rank2};

    #[test]
    fn a_matrix_that_is_none_of_its_kind_is_named() {
        let flat = Tensor::<Rank2<2, 2>, f64, Cpu>::from([[1.0, 2.0], [2.0, 1.0]]);
        let loc = Tensor::from([0.0, 0.0]);
        let named =
            |normal: MultivariateNormal<Rank2<2, 2>, f64, Cpu>| normal.check_parameters().unwrap_err().parameter;
        assert_eq!(named(MultivariateNormal::new(&loc, &flat)), "covariance_matrix");
        assert_eq!(named(MultivariateNormal::from_precision(&loc, &flat)), "precision_matrix");
        assert_eq!(named(MultivariateNormal::from_scale_tril(&loc, &flat)), "scale_tril");
        let good = Tensor::from([[2.0, 0.5], [0.5, 1.0]]);
        assert_eq!(named(MultivariateNormal::new(Tensor::from([0.0, f64::NAN]), &good)), "loc");
        let normal = MultivariateNormal::<_, f64, Cpu>::new(loc, &flat);
        assert!(normal.log_prob(&Tensor::from([0.0, 0.0])).item().is_nan());
    }

    #[test]
    fn one_number_is_a_mean_for_all() {
        let factor = Tensor::<Rank2<2, 2>, f64, Cpu>::from([[2.0, 0.0], [0.5, 1.0]]);
        let (one, both) = (
            MultivariateNormal::from_scale_tril(1.5, &factor),
            MultivariateNormal::from_scale_tril(Tensor::from([1.5, 1.5]), &factor),
        );
        let x = Tensor::from([0.3, 0.4]);
        assert_eq!(one.log_prob(&x), both.log_prob(&x));
        assert_eq!(one.variance().unwrap().to_vec(), [4.0, 1.25]);
    }

    #[test]
    #[should_panic(expected = "MultivariateNormal: a matrix of shape [2, 3] is not square")]
    fn a_matrix_is_square() {
        let _ = MultivariateNormal::new(0.0, Tensor::<Rank2<2, 3>, f64, Cpu>::zeros());
    }
}
