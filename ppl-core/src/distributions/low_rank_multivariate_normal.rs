//! The multivariate normal distribution whose covariance is a diagonal and a matrix of low rank.

use std::f64::consts::TAU;
use std::sync::Arc;

use dfdx::shapes::Shape;
use rand::Rng as _;
use rand_distr::StandardNormal;

use crate::backend::{Backend, Blocks};
use crate::constraint::{Positive, Real, RealVector, Support};
use crate::distribution::{Distribution, Expand, Family, ParameterError, check_event, check_parameter};
use crate::dtype::Dtype;
use crate::ops::{Batch, Vectors};
use crate::rng::Rng;
use crate::tensor::{Flat, IntoTensor, Operand, Tensor};

use super::scale_matrix::{batch_of, vectors_of};
use super::shapes::{LastAxis, check_value_shape, number_at};
use super::univariate::draws::draws;

// Distances, determinants and draws, by the capacitance matrix.
mod capacitance;

use capacitance::{Deviance, Draw, Sizes};

/// The normal distribution of n numbers with mean `loc` and covariance Σ = W Wᵀ + diag(d), for a
/// factor W (`cov_factor`) of n × r and a diagonal d (`cov_diag`) of positive numbers.
///
/// Density: exp(−½ (x − loc)ᵀ Σ⁻¹ (x − loc)) / √((2π)ⁿ det Σ). By Woodbury's identity only the r × r
/// capacitance matrix I + Wᵀ diag(d)⁻¹ W is factorised: a density costs n r², and Σ is never formed.
///
/// Shapes: `cov_factor` has the batch's axes, n and r; `loc`, `cov_diag` and values have the batch's
/// axes and n. `loc` and `cov_diag` may be one number.
///
/// ```
/// use ppl_core::{Tensor, distribution::Distribution, distributions::LowRankMultivariateNormal};
/// let factor = Tensor::<_, f64>::from([[1.0], [2.0]]);
/// let normal = LowRankMultivariateNormal::new(Tensor::from([0.0, 1.0]), factor, 0.5);
/// assert_eq!(normal.variance().unwrap().to_vec(), [1.5, 4.5]);
/// // det Σ = 1.5 · 4.5 − 2².
/// let at_mean = normal.log_prob(&Tensor::from([0.0, 1.0])).item();
/// assert!((at_mean + (2.0 * std::f64::consts::PI * 2.75_f64.sqrt()).ln()).abs() < 1e-12);
/// ```
///
/// Reference: Bishop, *Pattern Recognition and Machine Learning*, ch. 12.2.4 and appendix C.
#[derive(Clone, Debug)]
pub struct LowRankMultivariateNormal<M: Shape, E: Dtype, D: Backend<E>> {
    loc: Operand<Vectors<M>, E, D>,
    cov_factor: Tensor<M, E, D>,
    cov_diag: Operand<Vectors<M>, E, D>,
}

impl<M: Shape, E: Dtype, D: Backend<E>> LowRankMultivariateNormal<M, E, D> {
    /// The mean, the factor W and the diagonal d of the covariance W Wᵀ + diag(d).
    ///
    /// # Panics
    /// If `cov_factor` is a number, or `loc` or `cov_diag` has another shape than its columns.
    #[track_caller]
    pub fn new(
        loc: impl IntoTensor<Vectors<M>, E, D>,
        cov_factor: impl IntoTensor<M, E, D>,
        cov_diag: impl IntoTensor<Vectors<M>, E, D>,
    ) -> Self {
        let Operand::Full(cov_factor) = cov_factor.into_operand() else {
            panic!("LowRankMultivariateNormal: cov_factor is a number, not matrices");
        };
        let (loc, cov_diag) = (loc.into_operand(), cov_diag.into_operand());
        let normal = LowRankMultivariateNormal { loc, cov_factor, cov_diag };
        for operand in [&normal.loc, &normal.cov_diag] {
            if let Operand::Full(vectors) = operand {
                check_value_shape("LowRankMultivariateNormal", vectors.shape(), normal.vectors());
            }
        }
        normal
    }

    /// The shape of values.
    fn vectors(&self) -> Vectors<M> {
        vectors_of(self.cov_factor.shape())
    }

    fn sizes(&self) -> Sizes {
        let dims = self.cov_factor.dims();
        Sizes { n: dims[dims.len() - 2], rank: dims[dims.len() - 1] }
    }

    /// The mean.
    pub fn loc(&self) -> Tensor<Vectors<M>, E, D> {
        self.loc.spread(self.vectors())
    }

    /// The factor W of the covariance.
    pub fn cov_factor(&self) -> &Tensor<M, E, D> {
        &self.cov_factor
    }

    /// The diagonal that is added to W Wᵀ.
    pub fn cov_diag(&self) -> Tensor<Vectors<M>, E, D> {
        self.cov_diag.spread(self.vectors())
    }

    /// (x − loc)ᵀ Σ⁻¹ (x − loc) + ln det Σ.
    fn deviance(&self, value: Flat<E, D>, loc: Flat<E, D>) -> Tensor<Batch<M>, E, D> {
        let args = [self.cov_factor.flat(), self.cov_diag().into_flat(), value, loc];
        let batch = self.batch_shape();
        D::blocks(Deviance(self.sizes()), args, Blocks::equal(batch.num_elements())).reshape_like(&batch)
    }
}

impl<M: Shape, R: Shape, E: Dtype, D: Backend<E>> Expand<R> for LowRankMultivariateNormal<M, E, D> {
    type Expanded = LowRankMultivariateNormal<R, E, D>;
    type ExpandedBatch = Batch<R>;

    /// The last two axes of `shape` are those of the factor.
    #[track_caller]
    fn expand(&self, shape: R) -> LowRankMultivariateNormal<R, E, D> {
        check_event(&self.cov_factor.dims(), &shape.concrete().into(), 2);
        let vectors = vectors_of(shape);
        LowRankMultivariateNormal {
            loc: self.loc.expand(vectors),
            cov_factor: self.cov_factor.expand(shape),
            cov_diag: self.cov_diag.expand(vectors),
        }
    }
}

impl<M: Shape, E: Dtype, D: Backend<E>> Distribution<E, D> for LowRankMultivariateNormal<M, E, D> {
    type Value = Tensor<Vectors<M>, E, D>;
    type Batch = Batch<M>;

    fn name(&self) -> &'static str {
        "LowRankMultivariateNormal"
    }

    fn batch_shape(&self) -> Batch<M> {
        batch_of(self.cov_factor.shape())
    }

    fn event_dims(&self) -> Vec<usize> {
        vec![self.sizes().n]
    }

    fn draw(&self, rng: &mut Rng) -> Self::Value {
        let (sizes, count) = (self.sizes(), self.batch_shape().num_elements());
        let noise = Flat::vector(draws(count * (sizes.n + sizes.rank), rng, |_, rng| rng.sample(StandardNormal)));
        let args = [self.cov_factor.flat(), self.cov_diag().into_flat(), noise];
        let centred = D::blocks(Draw(sizes), args, Blocks::equal(count)).reshape_like(&self.vectors());
        centred + self.loc()
    }

    fn has_rsample(&self) -> bool {
        true
    }

    fn log_prob(&self, value: &Self::Value) -> Tensor<Batch<M>, E, D> {
        check_value_shape("LowRankMultivariateNormal", value.shape(), self.vectors());
        let constant = E::of(self.sizes().n as f64 * TAU.ln());
        (self.deviance(value.flat(), self.loc().into_flat()) + constant) * E::of(-0.5)
    }

    fn support(&self) -> Support<E, D> {
        Arc::new(RealVector)
    }

    fn mean(&self) -> Option<Self::Value> {
        Some(self.loc())
    }

    /// The diagonal of the covariance.
    fn variance(&self) -> Option<Self::Value> {
        Some(self.cov_factor.square().sum::<Vectors<M>, LastAxis<M>>() + self.cov_diag())
    }

    fn entropy(&self) -> Option<Tensor<Batch<M>, E, D>> {
        let nowhere = Flat::vector(vec![E::of(0.0); self.vectors().num_elements()]);
        let constant = E::of(self.sizes().n as f64 * (1.0 + TAU.ln()));
        Some((self.deviance(nowhere.clone(), nowhere) + constant) * E::of(0.5))
    }

    fn family(&self) -> Option<Family<E, D>> {
        let (len, event) = (self.batch_shape().num_elements(), self.event_dims()[0]);
        let parts = [self.loc().into_flat(), self.cov_factor().flat(), self.cov_diag().into_flat()];
        Some(Family { name: self.name(), parameters: parts.into_iter().collect(), len, event, mask: None })
    }

    fn check_parameters(&self) -> Result<(), ParameterError> {
        check_parameter("loc", &self.loc, &Real)?;
        check_parameter("cov_factor", &Operand::Full(self.cov_factor.clone()), &Real)?;
        check_parameter("cov_diag", &self.cov_diag, &Positive)
    }

    /// The mean, the factor and the diagonal at the first entry of the element.
    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        let Sizes { n, rank } = self.sizes();
        let corner = self.cov_factor.read(|values| values.get(element * n * rank).map_or(f64::NAN, |v| v.wide()));
        let of = |operand| number_at(operand, element * n);
        vec![("loc", of(&self.loc)), ("cov_factor", corner), ("cov_diag", of(&self.cov_diag))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distributions::MultivariateNormal;
    use crate::{Cpu, Rank2};

    type Plain = LowRankMultivariateNormal<Rank2<3, 2>, f64, Cpu>;

    fn factor() -> Tensor<Rank2<3, 2>, f64, Cpu> {
        Tensor::from([[1.0, 0.5], [-2.0, 0.25], [0.0, 3.0]])
    }

    #[test]
    fn one_number_is_a_parameter_for_all() {
        let x = Tensor::from([0.3, 0.4, -1.0]);
        let one: Plain = LowRankMultivariateNormal::new(1.5, factor(), 0.25);
        let all: Plain =
            LowRankMultivariateNormal::new(Tensor::from([1.5; 3]), factor(), Tensor::from([0.25, 0.25, 0.25]));
        assert_eq!(one.log_prob(&x), all.log_prob(&x));
        assert_eq!(one.variance(), all.variance());
    }

    // mpmath with 60 digits, of the full covariance. The difference of Woodbury's two terms would have
    // no digit here: each is about 1e17.
    #[test]
    fn a_small_diagonal_costs_no_digits() {
        let normal: Plain = LowRankMultivariateNormal::new(0.0, factor(), 1e-16);
        let along = normal.log_prob(&Tensor::from([1.5, -1.75, 3.0])).item();
        let expected = 12.743_467_396_268_458;
        assert!((along / expected - 1.0).abs() < 1e-13, "{along}, {expected}");
    }

    #[test]
    fn a_wide_factor_is_a_multivariate_normal() {
        let wide = Tensor::<Rank2<2, 4>, f64, Cpu>::from([[1.0, 0.5, -0.25, 2.0], [0.0, 1.0, 1.5, -1.0]]);
        let low_rank = LowRankMultivariateNormal::new(0.5, wide, 2.0);
        let full = Tensor::<Rank2<2, 2>, f64, Cpu>::from([[7.3125, -1.875], [-1.875, 6.25]]);
        let normal = MultivariateNormal::new(0.5, full);
        let x = Tensor::from([3.0, -2.0]);
        assert!((low_rank.log_prob(&x).item() - normal.log_prob(&x).item()).abs() < 1e-13);
        let difference = low_rank.entropy().unwrap().item() - normal.entropy().unwrap().item();
        assert!(difference.abs() < 1e-13);
    }

    #[test]
    fn a_larger_batch_repeats_the_parameters() {
        let one: Plain = LowRankMultivariateNormal::new(Tensor::from([1.0, 2.0, 3.0]), factor(), 0.5);
        let many = one.expand((2usize, 3usize, 2usize));
        assert_eq!(many.mean().unwrap().to_vec(), [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]);
        assert_eq!(many.entropy().unwrap().to_vec(), vec![one.entropy().unwrap().item(); 2]);
    }

    #[test]
    fn parameters_out_of_their_domain_are_named() {
        let named = |normal: Plain| normal.check_parameters().unwrap_err();
        let error = named(LowRankMultivariateNormal::new(0.0, factor(), Tensor::from([1.0, -1.0, 1.0])));
        assert_eq!((error.parameter, error.element), ("cov_diag", vec![1]));
        let bad = Tensor::from([[1.0, 0.5], [f64::NAN, 0.25], [0.0, 3.0]]);
        let error = named(LowRankMultivariateNormal::new(0.0, bad, 1.0));
        assert_eq!((error.parameter, error.element), ("cov_factor", vec![1, 0]));
    }
}
