//! The exponential distribution.

use std::sync::Arc;

use dfdx::shapes::Shape;
use rand::Rng as _;
use rand_distr::Exp1;

use crate::backend::Backend;
use crate::constraint::{NonNegative, Positive, Support};
use crate::distribution::{Distribution, ParameterError, check_parameter};
use crate::dtype::Dtype;
use crate::functions::arithmetic::DivFn;
use crate::functions::{Function, apply, apply_sum};
use crate::rng::Rng;
use crate::tensor::{Flat, IntoTensor, Operand, Tensor};

use super::shapes::{batch_shape, elements, number_at};

/// The waiting time of a process with `rate` events a unit of time; the mean is 1 / rate.
///
/// Density: rate · exp(−rate · x) for x ≥ 0.
///
/// Shapes: `rate` has the batch's shape.
///
/// ```
/// use ppl_core::{Tensor, distribution::Distribution, distributions::Exponential};
/// let wait = Exponential::new(Tensor::<_, f64>::from([1.0, 4.0]));
/// assert_eq!(wait.mean().unwrap().to_vec(), [1.0, 0.25]);
/// ```
///
/// Reference: Johnson, Kotz, Balakrishnan, *Continuous Univariate Distributions* I, ch. 19.
#[derive(Clone, Debug)]
pub struct Exponential<S: Shape, E: Dtype, D: Backend<E>> {
    rate: Operand<S, E, D>,
    shape: S,
}

impl<S: Shape, E: Dtype, D: Backend<E>> Exponential<S, E, D> {
    /// Events a unit of time: a tensor of the batch's shape, or a number where the batch is a single one.
    ///
    /// # Panics
    /// If the batch has axes and `rate` is a number.
    #[track_caller]
    pub fn new(rate: impl IntoTensor<S, E, D>) -> Self {
        let rate = rate.into_operand();
        let shape = batch_shape("Exponential", &[("rate", &rate)]);
        Exponential { rate, shape }
    }

    /// The same rate everywhere, in the shape given.
    pub fn filled(shape: S, rate: f64) -> Self {
        Exponential { rate: Operand::Scalar(Tensor::scalar(rate)), shape }
    }

    /// A value, or a probability, beside the parameters.
    fn beside(&self, value: &Tensor<S, E, D>) -> [Flat<E, D>; 2] {
        [elements("Exponential", value, self.shape), self.rate.flat()]
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> Distribution<E, D> for Exponential<S, E, D> {
    type Value = Tensor<S, E, D>;
    type Batch = S;

    fn name(&self) -> &'static str {
        "Exponential"
    }

    fn batch_shape(&self) -> S {
        self.shape
    }

    fn draw(&self, rng: &mut Rng) -> Tensor<S, E, D> {
        let noise = (0..self.shape.num_elements()).map(|_| E::of(rng.sample(Exp1))).collect();
        let noise = Flat::<E, D>::vector(noise);
        apply(DivFn, [noise, self.rate.flat()], self.shape)
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
        Some(self.rate.spread(self.shape).recip())
    }

    fn variance(&self) -> Option<Tensor<S, E, D>> {
        Some(self.rate.spread(self.shape).square().recip())
    }

    fn entropy(&self) -> Option<Tensor<S, E, D>> {
        Some(-self.rate.spread(self.shape).ln() + E::of(1.0))
    }

    fn cdf(&self, value: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>> {
        Some(apply(Cdf, self.beside(value), self.shape))
    }

    fn icdf(&self, probability: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>> {
        Some(apply(Icdf, self.beside(probability), self.shape))
    }

    fn check_parameters(&self) -> Result<(), ParameterError> {
        check_parameter("rate", &self.rate, &Positive)
    }

    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        vec![("rate", number_at(&self.rate, element))]
    }
}

/// The log-density at x.
#[derive(Clone, Copy, Debug)]
struct LogDensity;

impl<E: Dtype> Function<E, 2> for LogDensity {
    fn name(&self) -> &'static str {
        "Exponential::log_prob"
    }

    #[inline(always)]
    fn value(&self, [x, rate]: [E; 2]) -> E {
        if x < E::of(0.0) { E::neg_infinity() } else { rate.ln() - rate * x }
    }

    #[inline(always)]
    fn partials(&self, [x, rate]: [E; 2], _: E) -> [E; 2] {
        if x < E::of(0.0) || x.is_infinite() {
            return [E::of(0.0); 2];
        }
        [-rate, E::of(1.0) / rate - x]
    }
}

/// The probability of a value at most x.
#[derive(Clone, Copy, Debug)]
struct Cdf;

impl<E: Dtype> Function<E, 2> for Cdf {
    fn name(&self) -> &'static str {
        "Exponential::cdf"
    }

    fn value(&self, args: [E; 2]) -> E {
        let [x, rate] = args.map(E::wide);
        E::of(if x <= 0.0 { 0.0 } else { -(-rate * x).exp_m1() })
    }

    fn partials(&self, args: [E; 2], _: E) -> [E; 2] {
        let [x, rate] = args.map(E::wide);
        if x < 0.0 || x.is_infinite() {
            return [E::of(0.0); 2];
        }
        let beyond = (-rate * x).exp();
        [rate * beyond, x * beyond].map(E::of)
    }
}

/// The value whose cdf is q: NaN outside [0, 1].
#[derive(Clone, Copy, Debug)]
struct Icdf;

impl<E: Dtype> Function<E, 2> for Icdf {
    fn name(&self) -> &'static str {
        "Exponential::icdf"
    }

    fn value(&self, args: [E; 2]) -> E {
        let [q, rate] = args.map(E::wide);
        E::of(if q < 0.0 { f64::NAN } else { -(-q).ln_1p() / rate })
    }

    fn partials(&self, args: [E; 2], value: E) -> [E; 2] {
        let [q, rate] = args.map(E::wide);
        [1.0 / (rate * (1.0 - q)), -value.wide() / rate].map(E::of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cpu;

    #[test]
    fn negative_values_are_impossible_and_have_no_slope() {
        let one = Exponential::<(), f64, Cpu>::new(2.0);
        assert_eq!(one.log_prob(&Tensor::scalar(-0.1)).item(), f64::NEG_INFINITY);
        assert_eq!(LogDensity.partials([-0.1, 2.0], f64::NEG_INFINITY), [0.0; 2]);
        assert_eq!(one.log_prob(&Tensor::scalar(0.0)).item(), 2.0_f64.ln());
    }

    #[test]
    fn it_has_no_memory() {
        let one = Exponential::<(), f64, Cpu>::new(0.7);
        let beyond = |x: f64| 1.0 - one.cdf(&Tensor::scalar(x)).unwrap().item();
        assert!((beyond(3.0) - beyond(1.0) * beyond(2.0)).abs() < 1e-15);
    }
}
