//! The log-normal distribution.

use std::sync::Arc;

use dfdx::shapes::Shape;
use rand::Rng as _;
use rand_distr::StandardNormal;

use crate::backend::Backend;
use crate::constraint::{Positive, Real, Support};
use crate::distribution::{Distribution, ParameterError, check_parameter};
use crate::dtype::Dtype;
use crate::functions::error_function::{normal_cdf, normal_density, normal_quantile};
use crate::functions::{Function, apply, apply_sum};
use crate::rng::Rng;
use crate::tensor::{Flat, IntoTensor, Operand, Tensor};

use super::shapes::{batch_shape, elements, number_at};

/// The distribution of eʸ where y is normal with mean `loc` and standard deviation `scale`.
///
/// Density: exp(−(ln x − loc)² / (2 scale²)) / (x scale √(2π)) for x > 0.
///
/// Shapes: `loc` and `scale` have the batch's shape, or one number for all of it.
///
/// ```
/// use ppl_core::{Tensor, distribution::Distribution, distributions::LogNormal};
/// let income = LogNormal::new(Tensor::<_, f64>::from([0.0, 1.0]), 0.5);
/// let median = income.icdf(&Tensor::from([0.5, 0.5])).unwrap().to_vec();
/// assert!((median[1] - 1.0_f64.exp()).abs() < 1e-12);
/// ```
///
/// Reference: Johnson, Kotz, Balakrishnan, *Continuous Univariate Distributions* I, ch. 14.
#[derive(Clone, Debug)]
pub struct LogNormal<S: Shape, E: Dtype, D: Backend<E>> {
    loc: Operand<S, E, D>,
    scale: Operand<S, E, D>,
    shape: S,
}

impl<S: Shape, E: Dtype, D: Backend<E>> LogNormal<S, E, D> {
    /// Mean and standard deviation of the logarithm: tensors of the batch's shape or single numbers,
    /// at least one of them a tensor unless the batch is a single number.
    ///
    /// # Panics
    /// If sizes known only at run time differ, or the batch has axes and both are numbers.
    #[track_caller]
    pub fn new(loc: impl IntoTensor<S, E, D>, scale: impl IntoTensor<S, E, D>) -> Self {
        let (loc, scale) = (loc.into_operand(), scale.into_operand());
        let shape = batch_shape("LogNormal", &[("loc", &loc), ("scale", &scale)]);
        LogNormal { loc, scale, shape }
    }

    /// The same parameters everywhere, in the shape given.
    pub fn filled(shape: S, loc: f64, scale: f64) -> Self {
        LogNormal { loc: Operand::Scalar(Tensor::scalar(loc)), scale: Operand::Scalar(Tensor::scalar(scale)), shape }
    }

    /// A value, or a probability, beside the parameters.
    fn beside(&self, value: &Tensor<S, E, D>) -> [Flat<E, D>; 3] {
        [elements("LogNormal", value, self.shape), self.loc.flat(), self.scale.flat()]
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> Distribution<E, D> for LogNormal<S, E, D> {
    type Value = Tensor<S, E, D>;
    type Batch = S;

    fn name(&self) -> &'static str {
        "LogNormal"
    }

    fn batch_shape(&self) -> S {
        self.shape
    }

    fn draw(&self, rng: &mut Rng) -> Tensor<S, E, D> {
        let noise = (0..self.shape.num_elements()).map(|_| E::of(rng.sample(StandardNormal))).collect();
        let noise = Flat::<E, D>::vector(noise);
        apply(ExpAffine, [noise, self.loc.flat(), self.scale.flat()], self.shape)
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
        Arc::new(Positive)
    }

    fn mean(&self) -> Option<Tensor<S, E, D>> {
        let half_variance = self.scale.spread(self.shape).square() * E::of(0.5);
        Some((self.loc.spread(self.shape) + half_variance).exp())
    }

    fn variance(&self) -> Option<Tensor<S, E, D>> {
        let square = self.scale.spread(self.shape).square();
        let mean_squared = (self.loc.spread(self.shape) * E::of(2.0) + &square).exp();
        Some(square.expm1() * mean_squared)
    }

    fn entropy(&self) -> Option<Tensor<S, E, D>> {
        let log_scale = self.scale.spread(self.shape).ln();
        Some(self.loc.spread(self.shape) + log_scale + E::of(0.5 + HALF_LN_TWO_PI))
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
        check_parameter("loc", &self.loc, &Real)?;
        check_parameter("scale", &self.scale, &Positive)
    }

    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        vec![("loc", number_at(&self.loc, element)), ("scale", number_at(&self.scale, element))]
    }
}

/// ln √(2π).
const HALF_LN_TWO_PI: f64 = 0.918_938_533_204_672_7;

/// The log-density at x. In `f64`, since ln x − loc cancels.
#[derive(Clone, Copy, Debug)]
struct LogDensity;

impl<E: Dtype> Function<E, 3> for LogDensity {
    fn name(&self) -> &'static str {
        "LogNormal::log_prob"
    }

    fn value(&self, args: [E; 3]) -> E {
        let [x, loc, scale] = args.map(E::wide);
        if x <= 0.0 {
            return E::neg_infinity();
        }
        let log = x.ln();
        let z = (log - loc) / scale;
        E::of(-0.5 * z * z - scale.ln() - log - HALF_LN_TWO_PI)
    }

    fn partials(&self, args: [E; 3], _: E) -> [E; 3] {
        let [x, loc, scale] = args.map(E::wide);
        if x <= 0.0 || x.is_infinite() {
            return [E::of(0.0); 3];
        }
        let z = (x.ln() - loc) / scale;
        let d = z / scale;
        [-(1.0 + d) / x, d, (z * z - 1.0) / scale].map(E::of)
    }
}

/// exp(loc + scale · noise).
#[derive(Clone, Copy, Debug)]
struct ExpAffine;

impl<E: Dtype> Function<E, 3> for ExpAffine {
    fn name(&self) -> &'static str {
        "LogNormal::draw"
    }

    fn value(&self, args: [E; 3]) -> E {
        let [noise, loc, scale] = args.map(E::wide);
        E::of((loc + scale * noise).exp())
    }

    fn partials(&self, args: [E; 3], value: E) -> [E; 3] {
        let [noise, _, scale] = args;
        [value * scale, value, value * noise]
    }
}

/// The probability of a value at most x.
#[derive(Clone, Copy, Debug)]
struct Cdf;

impl<E: Dtype> Function<E, 3> for Cdf {
    fn name(&self) -> &'static str {
        "LogNormal::cdf"
    }

    fn value(&self, args: [E; 3]) -> E {
        let [x, loc, scale] = args.map(E::wide);
        E::of(if x <= 0.0 { 0.0 } else { normal_cdf((x.ln() - loc) / scale) })
    }

    fn partials(&self, args: [E; 3], _: E) -> [E; 3] {
        let [x, loc, scale] = args.map(E::wide);
        if x <= 0.0 || x.is_infinite() {
            return [E::of(0.0); 3];
        }
        let z = (x.ln() - loc) / scale;
        let d = normal_density(z) / scale;
        [d / x, -d, -d * z].map(E::of)
    }
}

/// The value whose cdf is q.
#[derive(Clone, Copy, Debug)]
struct Icdf;

impl<E: Dtype> Function<E, 3> for Icdf {
    fn name(&self) -> &'static str {
        "LogNormal::icdf"
    }

    fn value(&self, args: [E; 3]) -> E {
        let [q, loc, scale] = args.map(E::wide);
        E::of((loc + scale * normal_quantile(q)).exp())
    }

    fn partials(&self, args: [E; 3], value: E) -> [E; 3] {
        let [q, _, scale] = args.map(E::wide);
        let (z, value) = (normal_quantile(q), value.wide());
        [value * scale / normal_density(z), value, value * z].map(E::of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cpu;

    #[test]
    fn values_up_to_zero_are_impossible_and_have_no_slope() {
        let one = LogNormal::<(), f64, Cpu>::new(0.0, 1.0);
        for x in [-1.0, 0.0, f64::INFINITY] {
            assert_eq!(one.log_prob(&Tensor::scalar(x)).item(), f64::NEG_INFINITY);
            assert_eq!(LogDensity.partials([x, 0.0, 1.0], f64::NEG_INFINITY), [0.0; 3]);
        }
    }

    #[test]
    fn a_small_scale_keeps_the_digits_of_the_variance() {
        let narrow = LogNormal::<(), f64, Cpu>::new(0.0, 1e-9);
        assert!((narrow.variance().unwrap().item() / 1e-18 - 1.0).abs() < 1e-12);
    }
}
