//! The half-normal distribution.

use std::f64::consts::{FRAC_1_SQRT_2, PI, SQRT_2};
use std::sync::Arc;

use dfdx::shapes::Shape;
use rand::Rng as _;
use rand_distr::StandardNormal;

use crate::backend::Backend;
use crate::constraint::{NonNegative, Positive, Support};
use crate::distribution::{Distribution, ParameterError, check_parameter};
use crate::dtype::Dtype;
use crate::functions::arithmetic::MulFn;
use crate::functions::error_function::{erf, erf_inv, normal_density};
use crate::functions::{Function, apply, apply_sum};
use crate::rng::Rng;
use crate::tensor::{Flat, IntoTensor, Operand, Tensor};

use super::shapes::{batch_shape, elements, number_at};

/// The distribution of |y| where y is normal with mean 0 and standard deviation `scale`.
///
/// Density: √2 / (scale √π) · exp(−x² / (2 scale²)) for x ≥ 0.
///
/// Shapes: `scale` has the batch's shape.
///
/// ```
/// use ppl_core::{Tensor, distribution::Distribution, distributions::HalfNormal};
/// let spread = HalfNormal::new(Tensor::<_, f64>::from([1.0, 2.0]));
/// let mean = spread.mean().unwrap().to_vec();
/// assert!((mean[1] - 2.0 * (2.0 / std::f64::consts::PI).sqrt()).abs() < 1e-12);
/// ```
///
/// Reference: Johnson, Kotz, Balakrishnan, *Continuous Univariate Distributions* I, ch. 13.10.
#[derive(Clone, Debug)]
pub struct HalfNormal<S: Shape, E: Dtype, D: Backend<E>> {
    scale: Operand<S, E, D>,
    shape: S,
}

impl<S: Shape, E: Dtype, D: Backend<E>> HalfNormal<S, E, D> {
    /// The standard deviation of the normal: a tensor of the batch's shape, or a number where the batch is a single one.
    ///
    /// # Panics
    /// If the batch has axes and `scale` is a number.
    #[track_caller]
    pub fn new(scale: impl IntoTensor<S, E, D>) -> Self {
        let scale = scale.into_operand();
        let shape = batch_shape("HalfNormal", &[("scale", &scale)]);
        HalfNormal { scale, shape }
    }

    /// The same scale everywhere, in the shape given.
    pub fn filled(shape: S, scale: f64) -> Self {
        HalfNormal { scale: Operand::Scalar(Tensor::scalar(scale)), shape }
    }

    /// A value, or a probability, beside the parameters.
    fn beside(&self, value: &Tensor<S, E, D>) -> [Flat<E, D>; 2] {
        [elements("HalfNormal", value, self.shape), self.scale.flat()]
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> Distribution<E, D> for HalfNormal<S, E, D> {
    type Value = Tensor<S, E, D>;
    type Batch = S;

    fn name(&self) -> &'static str {
        "HalfNormal"
    }

    fn batch_shape(&self) -> S {
        self.shape
    }

    fn draw(&self, rng: &mut Rng) -> Tensor<S, E, D> {
        let normal = |_| E::of(f64::abs(rng.sample(StandardNormal)));
        let noise = Flat::<E, D>::vector((0..self.shape.num_elements()).map(normal).collect());
        apply(MulFn, [noise, self.scale.flat()], self.shape)
    }

    fn has_rsample(&self) -> bool {
        true
    }

    fn log_prob(&self, value: &Tensor<S, E, D>) -> Tensor<S, E, D> {
        apply(LogDensity, self.beside(value), self.shape)
    }

    fn log_prob_sum(&self, value: &Tensor<S, E, D>) -> Tensor<(), E, D> {
        apply_sum(LogDensity, self.beside(value), self.shape.num_elements())
    }

    fn support(&self) -> Support<E, D> {
        Arc::new(NonNegative)
    }

    fn mean(&self) -> Option<Tensor<S, E, D>> {
        Some(self.scale.spread(self.shape) * E::of((2.0 / PI).sqrt()))
    }

    fn variance(&self) -> Option<Tensor<S, E, D>> {
        Some(self.scale.spread(self.shape).square() * E::of(1.0 - 2.0 / PI))
    }

    fn entropy(&self) -> Option<Tensor<S, E, D>> {
        Some(self.scale.spread(self.shape).ln() + E::of(0.5 - HALF_LN_TWO_OVER_PI))
    }

    fn has_cdf(&self) -> bool {
        true
    }

    fn cdf(&self, value: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>> {
        Some(apply(Cdf, self.beside(value), self.shape))
    }

    fn icdf(&self, probability: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>> {
        Some(apply(Icdf, self.beside(probability), self.shape))
    }

    fn check_parameters(&self) -> Result<(), ParameterError> {
        check_parameter("scale", &self.scale, &Positive)
    }

    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        vec![("scale", number_at(&self.scale, element))]
    }
}

/// ½ ln(2/π).
const HALF_LN_TWO_OVER_PI: f64 = -0.225_791_352_644_727_43;

/// The log-density at x.
#[derive(Clone, Copy, Debug)]
struct LogDensity;

impl<E: Dtype> Function<E, 2> for LogDensity {
    fn name(&self) -> &'static str {
        "HalfNormal::log_prob"
    }

    #[inline(always)]
    fn value(&self, [x, scale]: [E; 2]) -> E {
        if x < E::of(0.0) {
            return E::neg_infinity();
        }
        let z = x / scale;
        E::of(-0.5) * z * z - scale.ln() + E::of(HALF_LN_TWO_OVER_PI)
    }

    #[inline(always)]
    fn partials(&self, [x, scale]: [E; 2], _: E) -> [E; 2] {
        if x < E::of(0.0) || x.is_infinite() {
            return [E::of(0.0); 2];
        }
        let z = x / scale;
        [-z / scale, (z * z - E::of(1.0)) / scale]
    }
}

/// The probability of a value at most x.
#[derive(Clone, Copy, Debug)]
struct Cdf;

impl<E: Dtype> Function<E, 2> for Cdf {
    fn name(&self) -> &'static str {
        "HalfNormal::cdf"
    }

    fn value(&self, args: [E; 2]) -> E {
        let [x, scale] = args.map(E::wide);
        E::of(if x <= 0.0 { 0.0 } else { erf(x / scale * FRAC_1_SQRT_2) })
    }

    fn partials(&self, args: [E; 2], _: E) -> [E; 2] {
        let [x, scale] = args.map(E::wide);
        if x < 0.0 || x.is_infinite() {
            return [E::of(0.0); 2];
        }
        let z = x / scale;
        let d = 2.0 * normal_density(z) / scale;
        [d, -d * z].map(E::of)
    }
}

/// The value whose cdf is q.
#[derive(Clone, Copy, Debug)]
struct Icdf;

impl<E: Dtype> Function<E, 2> for Icdf {
    fn name(&self) -> &'static str {
        "HalfNormal::icdf"
    }

    fn value(&self, args: [E; 2]) -> E {
        let [q, scale] = args.map(E::wide);
        E::of(scale * standard_quantile(q))
    }

    fn partials(&self, args: [E; 2], _: E) -> [E; 2] {
        let [q, scale] = args.map(E::wide);
        let z = standard_quantile(q);
        [scale / (2.0 * normal_density(z)), z].map(E::of)
    }
}

/// The value whose cdf is `q` where the scale is 1: NaN outside [0, 1].
fn standard_quantile(q: f64) -> f64 {
    if q < 0.0 { f64::NAN } else { SQRT_2 * erf_inv(q) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cpu;

    #[test]
    fn negative_values_are_impossible_and_have_no_slope() {
        let one = HalfNormal::<(), f64, Cpu>::new(1.0);
        assert_eq!(one.log_prob(&Tensor::scalar(-0.1)).item(), f64::NEG_INFINITY);
        assert_eq!(LogDensity.partials([-0.1, 1.0], f64::NEG_INFINITY), [0.0; 2]);
        assert_eq!(one.cdf(&Tensor::scalar(-0.1)).unwrap().item(), 0.0);
    }

    #[test]
    fn quantiles_outside_the_unit_interval_are_nan() {
        assert!([-0.1, 1.1].into_iter().all(|q| standard_quantile(q).is_nan()));
        assert_eq!([standard_quantile(0.0), standard_quantile(1.0)], [0.0, f64::INFINITY]);
    }
}
