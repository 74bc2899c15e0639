//! The normal distribution.

use std::sync::Arc;

use dfdx::shapes::{ConstShape, Shape};
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

/// The normal distribution with mean `loc` and standard deviation `scale`.
///
/// Density: exp(−(x − loc)² / (2 scale²)) / (scale √(2π)) on the real line.
///
/// Shapes: `loc` and `scale` have the batch's shape, or one number for all of it.
///
/// ```
/// use ppl_core::{Tensor, distribution::Distribution, distributions::Normal};
/// let normal = Normal::new(Tensor::<_, f64>::from([0.0, 1.0]), 2.0);
/// let at_mean = normal.log_prob(&Tensor::from([0.0, 1.0])).to_vec();
/// assert!((at_mean[0] + 0.5 * (8.0 * std::f64::consts::PI).ln()).abs() < 1e-12);
/// ```
///
/// Reference: Johnson, Kotz, Balakrishnan, *Continuous Univariate Distributions* I, ch. 13.
#[derive(Clone, Debug)]
pub struct Normal<S: Shape, E: Dtype, D: Backend<E>> {
    loc: Operand<S, E, D>,
    scale: Operand<S, E, D>,
    shape: S,
}

impl<S: Shape, E: Dtype, D: Backend<E>> Normal<S, E, D> {
    /// Mean and standard deviation: tensors of the batch's shape or single numbers, at least one of
    /// them a tensor unless the batch is a single number.
    ///
    /// # Panics
    /// If sizes known only at run time differ, or the batch has axes and both are numbers.
    #[track_caller]
    pub fn new(loc: impl IntoTensor<S, E, D>, scale: impl IntoTensor<S, E, D>) -> Self {
        let (loc, scale) = (loc.into_operand(), scale.into_operand());
        let shape = batch_shape("Normal", &[("loc", &loc), ("scale", &scale)]);
        Normal { loc, scale, shape }
    }

    /// Mean 0 and standard deviation 1, in the shape given.
    pub fn standard_like(shape: S) -> Self {
        Self::filled(shape, 0.0, 1.0)
    }

    /// The same mean and standard deviation everywhere, in the shape given.
    pub fn filled(shape: S, loc: f64, scale: f64) -> Self {
        Normal { loc: Operand::Scalar(Tensor::scalar(loc)), scale: Operand::Scalar(Tensor::scalar(scale)), shape }
    }

    /// A value, or a probability, beside the parameters.
    fn beside(&self, value: &Tensor<S, E, D>) -> [Flat<E, D>; 3] {
        [elements("Normal", value, self.shape), self.loc.flat(), self.scale.flat()]
    }
}

impl<S: ConstShape, E: Dtype, D: Backend<E>> Normal<S, E, D> {
    /// Mean 0 and standard deviation 1, in a shape known at compile time.
    pub fn standard() -> Self {
        Self::standard_like(S::default())
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> Distribution<E, D> for Normal<S, E, D> {
    type Value = Tensor<S, E, D>;
    type Batch = S;

    fn name(&self) -> &'static str {
        "Normal"
    }

    fn batch_shape(&self) -> S {
        self.shape
    }

    fn draw(&self, rng: &mut Rng) -> Tensor<S, E, D> {
        let noise = (0..self.shape.num_elements()).map(|_| E::of(rng.sample(StandardNormal))).collect();
        let noise = Tensor::<(usize,), E, D>::vector(noise);
        apply(Affine, [noise, self.loc.flat(), self.scale.flat()], self.shape)
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
        Arc::new(Real)
    }

    fn mean(&self) -> Option<Tensor<S, E, D>> {
        Some(self.loc.spread(self.shape))
    }

    fn variance(&self) -> Option<Tensor<S, E, D>> {
        Some(self.scale.spread(self.shape).square())
    }

    fn entropy(&self) -> Option<Tensor<S, E, D>> {
        Some(self.scale.spread(self.shape).ln() + E::of(0.5 + HALF_LN_TWO_PI))
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

/// The log-density at x with parameters loc and scale.
#[derive(Clone, Copy, Debug)]
struct LogDensity;

impl<E: Dtype> Function<E, 3> for LogDensity {
    fn name(&self) -> &'static str {
        "Normal::log_prob"
    }

    #[inline(always)]
    fn value(&self, [x, loc, scale]: [E; 3]) -> E {
        let z = (x - loc) / scale;
        E::of(-0.5) * z * z - scale.ln() - E::of(HALF_LN_TWO_PI)
    }

    #[inline(always)]
    fn partials(&self, [x, loc, scale]: [E; 3], _: E) -> [E; 3] {
        if x.is_infinite() {
            return [E::of(0.0); 3];
        }
        let z = (x - loc) / scale;
        let d = z / scale;
        [-d, d, (z * z - E::of(1.0)) / scale]
    }
}

/// loc + scale · noise.
#[derive(Clone, Copy, Debug)]
struct Affine;

impl<E: Dtype> Function<E, 3> for Affine {
    fn name(&self) -> &'static str {
        "affine"
    }

    #[inline(always)]
    fn value(&self, [noise, loc, scale]: [E; 3]) -> E {
        loc + scale * noise
    }

    #[inline(always)]
    fn partials(&self, [noise, _, scale]: [E; 3], _: E) -> [E; 3] {
        [scale, E::of(1.0), noise]
    }
}

/// The probability of a value at most x.
#[derive(Clone, Copy, Debug)]
struct Cdf;

impl<E: Dtype> Function<E, 3> for Cdf {
    fn name(&self) -> &'static str {
        "Normal::cdf"
    }

    fn value(&self, args: [E; 3]) -> E {
        let [x, loc, scale] = args.map(E::wide);
        E::of(normal_cdf((x - loc) / scale))
    }

    fn partials(&self, args: [E; 3], _: E) -> [E; 3] {
        let [x, loc, scale] = args.map(E::wide);
        if x.is_infinite() {
            return [E::of(0.0); 3];
        }
        let z = (x - loc) / scale;
        let d = normal_density(z) / scale;
        [d, -d, -d * z].map(E::of)
    }
}

/// The value whose cdf is q.
#[derive(Clone, Copy, Debug)]
struct Icdf;

impl<E: Dtype> Function<E, 3> for Icdf {
    fn name(&self) -> &'static str {
        "Normal::icdf"
    }

    fn value(&self, args: [E; 3]) -> E {
        let [q, loc, scale] = args.map(E::wide);
        E::of(loc + scale * normal_quantile(q))
    }

    fn partials(&self, args: [E; 3], _: E) -> [E; 3] {
        let [q, _, scale] = args.map(E::wide);
        let z = normal_quantile(q);
        [scale / normal_density(z), 1.0, z].map(E::of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cpu, Rank2};

    #[test]
    fn standard_has_the_shape_of_its_type() {
        let normal = Normal::<Rank2<2, 3>, f64, Cpu>::standard();
        assert_eq!(normal.draw(&mut Rng::seed(0)).dims(), [2, 3]);
        assert_eq!(normal.mean().unwrap(), Tensor::zeros());
        assert_eq!(normal.variance().unwrap(), Tensor::ones());
    }

    #[test]
    fn an_infinite_value_has_no_density_and_no_slope() {
        let normal = Normal::<(), f64, Cpu>::new(0.5, 2.0);
        assert_eq!(normal.log_prob(&Tensor::scalar(f64::INFINITY)).item(), f64::NEG_INFINITY);
        assert_eq!(LogDensity.partials([f64::INFINITY, 0.5, 2.0], f64::NEG_INFINITY), [0.0; 3]);
        assert_eq!(normal.cdf(&Tensor::scalar(f64::INFINITY)).unwrap().item(), 1.0);
    }
}
