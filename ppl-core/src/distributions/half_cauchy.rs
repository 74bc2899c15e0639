//! The half-Cauchy distribution.

use std::f64::consts::{FRAC_2_PI, FRAC_PI_2, PI};
use std::sync::Arc;

use dfdx::shapes::Shape;
use rand::Rng as _;
use rand::distributions::Open01;

use crate::backend::Backend;
use crate::constraint::{NonNegative, Positive, Support};
use crate::distribution::{Distribution, ParameterError, check_parameter};
use crate::dtype::Dtype;
use crate::functions::arithmetic::MulFn;
use crate::functions::{Function, apply, apply_sum};
use crate::rng::Rng;
use crate::tensor::{Flat, IntoTensor, Operand, Tensor};

use super::shapes::{batch_shape, elements, number_at};

/// The distribution of |y| where y has a Cauchy distribution with median 0 and scale `scale`.
///
/// Density: 2 / (π scale (1 + (x / scale)²)) for x ≥ 0. Mean and variance are infinite.
///
/// Shapes: `scale` has the batch's shape.
///
/// ```
/// use ppl_core::{Tensor, distribution::Distribution, distributions::HalfCauchy};
/// let prior = HalfCauchy::new(Tensor::<_, f64>::from([5.0]));
/// assert!((prior.cdf(&Tensor::from([5.0])).unwrap().to_vec()[0] - 0.5).abs() < 1e-12);
/// ```
///
/// Reference: Gelman, *Prior distributions for variance parameters in hierarchical models*, 2006.
#[derive(Clone, Debug)]
pub struct HalfCauchy<S: Shape, E: Dtype, D: Backend<E>> {
    scale: Operand<S, E, D>,
    shape: S,
}

impl<S: Shape, E: Dtype, D: Backend<E>> HalfCauchy<S, E, D> {
    /// The scale, which is the median: a tensor of the batch's shape, or a number where the batch is a single one.
    ///
    /// # Panics
    /// If the batch has axes and `scale` is a number.
    #[track_caller]
    pub fn new(scale: impl IntoTensor<S, E, D>) -> Self {
        let scale = scale.into_operand();
        let shape = batch_shape("HalfCauchy", &[("scale", &scale)]);
        HalfCauchy { scale, shape }
    }

    /// The same scale everywhere, in the shape given.
    pub fn filled(shape: S, scale: f64) -> Self {
        HalfCauchy { scale: Operand::Scalar(Tensor::scalar(scale)), shape }
    }

    /// A value, or a probability, beside the parameters.
    fn beside(&self, value: &Tensor<S, E, D>) -> [Flat<E, D>; 2] {
        [elements("HalfCauchy", value, self.shape), self.scale.flat()]
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> Distribution<E, D> for HalfCauchy<S, E, D> {
    type Value = Tensor<S, E, D>;
    type Batch = S;

    fn name(&self) -> &'static str {
        "HalfCauchy"
    }

    fn batch_shape(&self) -> S {
        self.shape
    }

    fn draw(&self, rng: &mut Rng) -> Tensor<S, E, D> {
        let uniform = |_| E::of(standard_quantile(rng.sample(Open01)));
        let noise = Flat::<E, D>::vector((0..self.shape.num_elements()).map(uniform).collect());
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
        Some(Tensor::full_like(E::infinity(), self.shape))
    }

    fn variance(&self) -> Option<Tensor<S, E, D>> {
        Some(Tensor::full_like(E::infinity(), self.shape))
    }

    fn entropy(&self) -> Option<Tensor<S, E, D>> {
        Some(self.scale.spread(self.shape).ln() + E::of((2.0 * PI).ln()))
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

/// The log-density at x. In `f64`, since the square of a large x overflows in `f32`.
#[derive(Clone, Copy, Debug)]
struct LogDensity;

impl<E: Dtype> Function<E, 2> for LogDensity {
    fn name(&self) -> &'static str {
        "HalfCauchy::log_prob"
    }

    fn value(&self, args: [E; 2]) -> E {
        let [x, scale] = args.map(E::wide);
        if x < 0.0 {
            return E::neg_infinity();
        }
        let z = x / scale;
        // Beyond this 1 + z² is z² to the last digit.
        let log_tail = if z > 1e9 { 2.0 * z.ln() } else { (z * z).ln_1p() };
        E::of(FRAC_2_PI.ln() - scale.ln() - log_tail)
    }

    fn partials(&self, args: [E; 2], _: E) -> [E; 2] {
        let [x, scale] = args.map(E::wide);
        if x < 0.0 || x.is_infinite() {
            return [E::of(0.0); 2];
        }
        let z = x / scale;
        // 2z / (1 + z²), of which the square cannot overflow.
        let d = 2.0 / (z + 1.0 / z);
        [-d / scale, (d * z - 1.0) / scale].map(E::of)
    }
}

/// The probability of a value at most x.
#[derive(Clone, Copy, Debug)]
struct Cdf;

impl<E: Dtype> Function<E, 2> for Cdf {
    fn name(&self) -> &'static str {
        "HalfCauchy::cdf"
    }

    fn value(&self, args: [E; 2]) -> E {
        let [x, scale] = args.map(E::wide);
        E::of(if x <= 0.0 { 0.0 } else { FRAC_2_PI * (x / scale).atan() })
    }

    fn partials(&self, args: [E; 2], _: E) -> [E; 2] {
        let [x, scale] = args.map(E::wide);
        if x < 0.0 || x.is_infinite() {
            return [E::of(0.0); 2];
        }
        let z = x / scale;
        [FRAC_2_PI / (1.0 + z * z) / scale, -FRAC_2_PI / (z + 1.0 / z) / scale].map(E::of)
    }
}

/// The value whose cdf is q.
#[derive(Clone, Copy, Debug)]
struct Icdf;

impl<E: Dtype> Function<E, 2> for Icdf {
    fn name(&self) -> &'static str {
        "HalfCauchy::icdf"
    }

    fn value(&self, args: [E; 2]) -> E {
        let [q, scale] = args.map(E::wide);
        E::of(scale * standard_quantile(q))
    }

    fn partials(&self, args: [E; 2], _: E) -> [E; 2] {
        let [q, scale] = args.map(E::wide);
        let z = standard_quantile(q);
        [scale * FRAC_PI_2 * (1.0 + z * z), z].map(E::of)
    }
}

/// The value whose cdf is `q` where the scale is 1: NaN outside [0, 1]. Near the pole at 1 from the
/// distance to it, which keeps the digits.
fn standard_quantile(q: f64) -> f64 {
    match q {
        0.0..=0.5 => (FRAC_PI_2 * q).tan(),
        0.5..=1.0 => (FRAC_PI_2 * (1.0 - q)).tan().recip(),
        _ => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cpu;

    #[test]
    fn the_tail_is_heavy_and_never_overflows() {
        let one = HalfCauchy::<(), f32, Cpu>::new(1.0);
        let far = one.log_prob(&Tensor::scalar(1e30)).item();
        assert!((f64::from(far) - (FRAC_2_PI.ln() - 60.0 * 10.0_f64.ln())).abs() < 1e-4, "{far}");
        assert_eq!(one.mean().unwrap().item(), f32::INFINITY);
    }

    #[test]
    fn the_slope_at_zero_is_zero_in_the_value() {
        assert_eq!(LogDensity.partials([0.0, 2.0], 0.0), [0.0, -0.5]);
    }
}
