//! The uniform distribution on an interval.

use std::sync::Arc;

use dfdx::shapes::Shape;
use rand::Rng as _;
use rand::distributions::Open01;

use crate::backend::Backend;
use crate::constraint::{Bounds, Real, Support};
use crate::distribution::{Distribution, ParameterError, check_parameter, unravel};
use crate::dtype::Dtype;
use crate::functions::{Function, apply, apply_sum};
use crate::rng::Rng;
use crate::tensor::{Flat, IntoTensor, Operand, Tensor};

use super::shapes::{batch_shape, elements, number_at};

/// The uniform distribution between `low` and `high`, both included.
///
/// Density: 1 / (high − low) for low ≤ x ≤ high.
///
/// Shapes: `low` and `high` have the batch's shape, or one number for all of it.
///
/// ```
/// use ppl_core::{Tensor, distribution::Distribution, distributions::Uniform};
/// let place = Uniform::new(0.0, Tensor::<_, f64>::from([1.0, 4.0]));
/// assert_eq!(place.mean().unwrap().to_vec(), [0.5, 2.0]);
/// assert_eq!(place.log_prob(&Tensor::from([2.0, 4.0])).to_vec(), [f64::NEG_INFINITY, -4.0_f64.ln()]);
/// ```
///
/// Reference: Johnson, Kotz, Balakrishnan, *Continuous Univariate Distributions* II, ch. 26.
#[derive(Clone, Debug)]
pub struct Uniform<S: Shape, E: Dtype, D: Backend<E>> {
    low: Operand<S, E, D>,
    high: Operand<S, E, D>,
    shape: S,
}

impl<S: Shape, E: Dtype, D: Backend<E>> Uniform<S, E, D> {
    /// The bounds: tensors of the batch's shape or single numbers, at least one of them a tensor
    /// unless the batch is a single number.
    ///
    /// # Panics
    /// If sizes known only at run time differ, or the batch has axes and both are numbers.
    #[track_caller]
    pub fn new(low: impl IntoTensor<S, E, D>, high: impl IntoTensor<S, E, D>) -> Self {
        let (low, high) = (low.into_operand(), high.into_operand());
        let shape = batch_shape("Uniform", &[("low", &low), ("high", &high)]);
        Uniform { low, high, shape }
    }

    /// The same bounds everywhere, in the shape given.
    pub fn filled(shape: S, low: f64, high: f64) -> Self {
        Uniform { low: Operand::Scalar(Tensor::scalar(low)), high: Operand::Scalar(Tensor::scalar(high)), shape }
    }

    /// high − low.
    fn width(&self) -> Tensor<S, E, D> {
        self.high.spread(self.shape) - self.low.spread(self.shape)
    }

    /// A value, or a probability, beside the parameters.
    fn beside(&self, value: &Tensor<S, E, D>) -> [Flat<E, D>; 3] {
        [elements("Uniform", value, self.shape), self.low.flat(), self.high.flat()]
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> Distribution<E, D> for Uniform<S, E, D> {
    type Value = Tensor<S, E, D>;
    type Batch = S;

    fn name(&self) -> &'static str {
        "Uniform"
    }

    fn batch_shape(&self) -> S {
        self.shape
    }

    fn draw(&self, rng: &mut Rng) -> Tensor<S, E, D> {
        let noise = (0..self.shape.num_elements()).map(|_| E::of(rng.sample(Open01))).collect();
        let noise = Flat::<E, D>::vector(noise);
        apply(Icdf, [noise, self.low.flat(), self.high.flat()], self.shape)
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
        Arc::new(Bounds::new(self.low.flat(), self.high.flat()))
    }

    fn mean(&self) -> Option<Tensor<S, E, D>> {
        Some((self.low.spread(self.shape) + self.high.spread(self.shape)) * E::of(0.5))
    }

    fn variance(&self) -> Option<Tensor<S, E, D>> {
        Some(self.width().square() / E::of(12.0))
    }

    fn entropy(&self) -> Option<Tensor<S, E, D>> {
        Some(self.width().ln())
    }

    fn cdf(&self, value: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>> {
        Some(apply(Cdf, self.beside(value), self.shape))
    }

    fn icdf(&self, probability: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>> {
        Some(apply(Icdf, self.beside(probability), self.shape))
    }

    fn check_parameters(&self) -> Result<(), ParameterError> {
        check_parameter("low", &self.low, &Real)?;
        check_parameter("high", &self.high, &Real)?;
        let dims: Vec<usize> = self.shape.concrete().into();
        for element in 0..self.shape.num_elements() {
            let (low, high) = (number_at(&self.low, element), number_at(&self.high, element));
            if low >= high {
                let constraint = format!("greater than low = {low}");
                return Err(ParameterError {
                    parameter: "high",
                    value: high,
                    element: unravel(element, &dims),
                    constraint,
                });
            }
        }
        Ok(())
    }

    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        vec![("low", number_at(&self.low, element)), ("high", number_at(&self.high, element))]
    }
}

/// The log-density at x. In `f64`, in which the width of `f32` bounds cannot overflow.
#[derive(Clone, Copy, Debug)]
struct LogDensity;

impl<E: Dtype> Function<E, 3> for LogDensity {
    fn name(&self) -> &'static str {
        "Uniform::log_prob"
    }

    fn value(&self, args: [E; 3]) -> E {
        let [x, low, high] = args.map(E::wide);
        if x < low || x > high {
            return E::neg_infinity();
        }
        // A NaN stays one.
        E::of(x * 0.0 - (high - low).ln())
    }

    fn partials(&self, args: [E; 3], _: E) -> [E; 3] {
        let [x, low, high] = args.map(E::wide);
        if x < low || x > high {
            return [E::of(0.0); 3];
        }
        let d = 1.0 / (high - low);
        [0.0, d, -d].map(E::of)
    }
}

/// The probability of a value at most x.
#[derive(Clone, Copy, Debug)]
struct Cdf;

impl<E: Dtype> Function<E, 3> for Cdf {
    fn name(&self) -> &'static str {
        "Uniform::cdf"
    }

    fn value(&self, args: [E; 3]) -> E {
        let [x, low, high] = args.map(E::wide);
        E::of(((x - low) / (high - low)).clamp(0.0, 1.0))
    }

    fn partials(&self, args: [E; 3], _: E) -> [E; 3] {
        let [x, low, high] = args.map(E::wide);
        if x < low || x > high {
            return [E::of(0.0); 3];
        }
        let (width, d) = (high - low, 1.0 / (high - low));
        [d, (x - high) / width * d, (low - x) / width * d].map(E::of)
    }
}

/// The value whose cdf is q: NaN outside [0, 1].
#[derive(Clone, Copy, Debug)]
struct Icdf;

impl<E: Dtype> Function<E, 3> for Icdf {
    fn name(&self) -> &'static str {
        "Uniform::icdf"
    }

    fn value(&self, args: [E; 3]) -> E {
        let [q, low, high] = args.map(E::wide);
        if !(0.0..=1.0).contains(&q) {
            return E::nan();
        }
        // Rounding must not leave the interval.
        E::of(((1.0 - q) * low + q * high).max(low).min(high))
    }

    fn partials(&self, args: [E; 3], _: E) -> [E; 3] {
        let [q, low, high] = args.map(E::wide);
        [high - low, 1.0 - q, q].map(E::of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cpu;

    #[test]
    fn the_bounds_belong_to_the_support() {
        let one = Uniform::<(), f64, Cpu>::new(-1.0, 1.0);
        for (x, inside) in [(-1.0, true), (1.0, true), (-1.1, false), (1.1, false)] {
            assert_eq!(one.log_prob(&Tensor::scalar(x)).item().is_finite(), inside);
            assert_eq!(one.support().violation(&[x], &[]).is_none(), inside);
        }
    }

    #[test]
    fn bounds_in_the_wrong_order_are_named() {
        let error = Uniform::<_, f64, Cpu>::new(0.5, Tensor::from([1.0, 0.25])).check_parameters().unwrap_err();
        assert_eq!((error.parameter, error.value, error.element), ("high", 0.25, vec![1]));
        assert_eq!(error.constraint, "greater than low = 0.5");
    }
}
