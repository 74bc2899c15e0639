//! The multivariate normal distribution.

use std::f64::consts::TAU;
use std::sync::Arc;

use dfdx::shapes::Shape;
use rand::Rng as _;
use rand_distr::StandardNormal;

use crate::backend::Backend;
use crate::constraint::{Real, RealVector, Support};
use crate::distribution::{BaseForm, Distribution, Expand, Family, ParameterError, TakeBase, check_parameter};
use crate::dtype::Dtype;
use crate::ops::{Batch, Vectors};
use crate::rng::Rng;
use crate::tensor::{Flat, IntoTensor, Operand, Tensor};

use super::scale_matrix::{ScaleMatrix, vectors_of};
use super::shapes::{check_value_shape, number_at};
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
    scale: ScaleMatrix<M, E, D>,
}

const NAME: &str = "MultivariateNormal";

impl<M: Shape, E: Dtype, D: Backend<E>> MultivariateNormal<M, E, D> {
    /// Mean and covariance, which must be symmetric and positive definite.
    ///
    /// # Panics
    /// If the matrix is not square, or `loc` has another shape than its rows.
    #[track_caller]
    pub fn new(loc: impl IntoTensor<Vectors<M>, E, D>, covariance_matrix: impl IntoTensor<M, E, D>) -> Self {
        let matrix = covariance_matrix.into_operand();
        Self::made(loc.into_operand(), ScaleMatrix::from_matrix(NAME, "covariance_matrix", matrix))
    }

    /// Mean and precision, the inverse of the covariance.
    ///
    /// # Panics
    /// As [`MultivariateNormal::new`].
    #[track_caller]
    pub fn from_precision(loc: impl IntoTensor<Vectors<M>, E, D>, precision_matrix: impl IntoTensor<M, E, D>) -> Self {
        let matrix = precision_matrix.into_operand();
        Self::made(loc.into_operand(), ScaleMatrix::from_inverse(NAME, "precision_matrix", matrix))
    }

    /// Mean and lower Cholesky factor of the covariance, with a positive diagonal: the cheapest and
    /// most exact form.
    ///
    /// # Panics
    /// As [`MultivariateNormal::new`].
    #[track_caller]
    pub fn from_scale_tril(loc: impl IntoTensor<Vectors<M>, E, D>, scale_tril: impl IntoTensor<M, E, D>) -> Self {
        Self::made(loc.into_operand(), ScaleMatrix::from_tril(NAME, scale_tril.into_operand()))
    }

    #[track_caller]
    fn made(loc: Operand<Vectors<M>, E, D>, scale: ScaleMatrix<M, E, D>) -> Self {
        if let Operand::Full(loc) = &loc {
            check_value_shape(NAME, loc.shape(), scale.vectors());
        }
        MultivariateNormal { loc, scale }
    }

    /// The mean.
    pub fn loc(&self) -> Tensor<Vectors<M>, E, D> {
        self.loc.spread(self.scale.vectors())
    }

    /// The lower Cholesky factor of the covariance.
    pub fn scale_tril(&self) -> &Tensor<M, E, D> {
        self.scale.tril()
    }
}

impl<M: Shape, R: Shape, E: Dtype, D: Backend<E>> Expand<R> for MultivariateNormal<M, E, D> {
    type Expanded = MultivariateNormal<R, E, D>;
    type ExpandedBatch = Batch<R>;

    /// The last two axes of `shape` are those of the matrices.
    #[track_caller]
    fn expand(&self, shape: R) -> MultivariateNormal<R, E, D> {
        MultivariateNormal { loc: self.loc.expand(vectors_of(shape)), scale: self.scale.expand(shape) }
    }
}

impl<M: Shape, E: Dtype, D: Backend<E>> Distribution<E, D> for MultivariateNormal<M, E, D> {
    type Value = Tensor<Vectors<M>, E, D>;
    type Batch = Batch<M>;

    fn name(&self) -> &'static str {
        NAME
    }

    fn batch_shape(&self) -> Batch<M> {
        self.scale.batch()
    }

    fn event_dims(&self) -> Vec<usize> {
        vec![self.scale.size()]
    }

    fn draw(&self, rng: &mut Rng) -> Self::Value {
        let shape = self.scale.vectors();
        let noise = Flat::vector(draws(shape.num_elements(), rng, |_, rng| rng.sample(StandardNormal)));
        self.scale.tril().tril(0).matvec(&noise.reshape_like(&shape)) + self.loc()
    }

    fn has_rsample(&self) -> bool {
        true
    }

    fn log_prob(&self, value: &Self::Value) -> Tensor<Batch<M>, E, D> {
        check_value_shape(NAME, value.shape(), self.scale.vectors());
        let distance = self.scale.tril().mahalanobis(value, &self.loc());
        let constant = E::of(0.5 * self.scale.size() as f64 * TAU.ln());
        distance * E::of(-0.5) - self.scale.tril().log_abs_det_triangular() - constant
    }

    fn support(&self) -> Support<E, D> {
        Arc::new(RealVector)
    }

    fn mean(&self) -> Option<Self::Value> {
        Some(self.loc())
    }

    /// The diagonal of the covariance.
    fn variance(&self) -> Option<Self::Value> {
        Some(self.scale.diagonal())
    }

    fn entropy(&self) -> Option<Tensor<Batch<M>, E, D>> {
        let constant = E::of(0.5 * self.scale.size() as f64 * (1.0 + TAU.ln()));
        Some(self.scale.tril().log_abs_det_triangular() + constant)
    }

    /// The standard one, under the Cholesky factor of the covariance.
    fn with_base<T: TakeBase<E, D, Batch<M>>>(&self, form: BaseForm, take: T) -> Option<T::Output> {
        let standard = || MultivariateNormal::from_scale_tril(0.0, Tensor::eye_like(self.scale.tril().shape()));
        (form == BaseForm::Transform).then(|| take.take(standard(), self.scale.map_from_standard(self.loc.flat())))
    }

    fn family(&self) -> Option<Family<E, D>> {
        let (len, event) = (self.batch_shape().num_elements(), self.event_dims()[0]);
        let parameters = [self.loc().into_flat(), self.scale_tril().flat()].into_iter().collect();
        Some(Family { name: NAME, parameters, len, event, mask: None })
    }

    fn check_parameters(&self) -> Result<(), ParameterError> {
        check_parameter("loc", &self.loc, &Real)?;
        self.scale.check()
    }

    /// The mean and the factor at the first entry of the element.
    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        let loc = number_at(&self.loc, element * self.scale.size());
        vec![("loc", loc), ("scale_tril", self.scale.corner(element))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autodiff::grad;
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
    fn a_larger_batch_repeats_the_parameters() {
        let factor = Tensor::<Rank2<2, 2>, f64, Cpu>::from([[2.0, 0.0], [0.5, 1.0]]);
        let one = MultivariateNormal::from_scale_tril(Tensor::from([1.0, -1.0]), factor);
        let many = one.expand((3usize, 2usize, 2usize));
        assert_eq!(many.mean().unwrap().to_vec(), [1.0, -1.0].repeat(3));
        assert_eq!(many.entropy().unwrap().to_vec(), vec![one.entropy().unwrap().item(); 3]);
        let error = one.expand((3usize, 2usize, 2usize)).check_parameters();
        assert_eq!(error, Ok(()));
    }

    /// Through the factor the slopes of f32 would be lost: 1 − 0.9999999² is two digits of the covariance.
    #[test]
    fn variances_are_those_given() {
        let covariance = Tensor::<Rank2<2, 2>, f32, Cpu>::from([[1e4, 0.999_99], [0.999_99, 1.000_1e-4]]).tracked();
        let (_, grads) = grad(|| MultivariateNormal::new(0.0, &covariance).variance().unwrap().sum_all());
        assert_eq!(grads.get(&covariance).unwrap().array(), [[1.0, 0.0], [0.0, 1.0]]);
        let normal = MultivariateNormal::new(0.0, &covariance);
        assert_eq!(normal.variance().unwrap().array(), [1e4, 1.000_1e-4]);
    }

    #[test]
    #[should_panic(expected = "MultivariateNormal: a matrix of shape [2, 3] is not square")]
    fn a_matrix_is_square() {
        let _ = MultivariateNormal::new(0.0, Tensor::<Rank2<2, 3>, f64, Cpu>::zeros());
    }
}
