//! The distribution of an absolute value.

use std::sync::Arc;

use dfdx::shapes::Shape;

use crate::backend::{Backend, Layers, Reduction};
use crate::constraint::{NonNegative, Support};
use crate::distribution::{Distribution, Expand, ParameterError};
use crate::dtype::Dtype;
use crate::rng::Rng;
use crate::tensor::Tensor;

use super::between::log_between;

/// The distribution of |x| where x has the continuous distribution `base` over numbers.
///
/// Density: p(x) + p(−x) for x ≥ 0.
///
/// ```
/// use ppl_core::{Cpu, Tensor, distribution::Distribution, distributions::{Folded, HalfNormal, Normal}};
/// let folded = Folded::new(Normal::<(), f64, Cpu>::new(0.0, 2.0));
/// let x = Tensor::scalar(0.7);
/// let half = HalfNormal::<(), f64, Cpu>::new(2.0);
/// assert!((folded.log_prob(&x).item() - half.log_prob(&x).item()).abs() < 1e-14);
/// ```
#[derive(Clone, Debug)]
pub struct Folded<P> {
    base: P,
}

impl<P> Folded<P> {
    /// The absolute value of what `base` draws.
    pub fn new(base: P) -> Self {
        Folded { base }
    }

    /// The distribution before the absolute value.
    pub fn base(&self) -> &P {
        &self.base
    }
}

impl<P: Expand<R>, R: Shape> Expand<R> for Folded<P> {
    type Expanded = Folded<P::Expanded>;
    type ExpandedBatch = P::ExpandedBatch;

    #[track_caller]
    fn expand(&self, shape: R) -> Self::Expanded {
        Folded::new(self.base.expand(shape))
    }
}

impl<P, S, E, D> Distribution<E, D> for Folded<P>
where
    P: Distribution<E, D, Value = Tensor<S, E, D>, Batch = S>,
    S: Shape,
    E: Dtype,
    D: Backend<E>,
{
    type Value = Tensor<S, E, D>;
    type Batch = S;

    fn name(&self) -> &'static str {
        "Folded"
    }

    fn batch_shape(&self) -> S {
        self.base.batch_shape()
    }

    fn draw(&self, rng: &mut Rng) -> Tensor<S, E, D> {
        self.base.draw(rng).abs()
    }

    fn has_rsample(&self) -> bool {
        self.base.has_rsample()
    }

    fn log_prob(&self, value: &Tensor<S, E, D>) -> Tensor<S, E, D> {
        let sides = vec![self.base.log_prob(value).into_flat(), self.base.log_prob(&-value).into_flat()];
        let layers = Layers { outer: 1, axis: 2, inner: value.numel() };
        let sum = D::reduce(D::join(sides), layers, Reduction::LogSumExp).reshape_like(&value.shape());
        sum.select(&at_least_zero(value), f64::NEG_INFINITY)
    }

    fn support(&self) -> Support<E, D> {
        Arc::new(NonNegative)
    }

    fn cdf(&self, value: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>> {
        let left = self.base.cdf(&-value)?;
        // Above the middle of the base it is survival that has the digits.
        let above = left.read(|left| left.iter().map(|p| *p > E::of(0.5)).collect::<Vec<_>>());
        let below = self.base.cdf(value)? - left;
        let between = (self.base.survival(&-value)? - self.base.survival(value)?).select(&above, below);
        Some(between.select(&at_least_zero(value), 0.0))
    }

    fn has_cdf(&self) -> bool {
        self.base.has_cdf()
    }

    fn survival(&self, value: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>> {
        let beyond = self.base.survival(value)? + self.base.cdf(&-value)?;
        Some(beyond.select(&at_least_zero(value), 1.0))
    }

    /// From the side on which it is the smaller.
    fn log_cdf(&self, value: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>> {
        let beyond = self.survival(value)?;
        let rare: Vec<bool> = beyond.read(|p| p.iter().map(|p| p.wide() < 0.5).collect());
        let most = (-beyond).log1p().select(&rare, log_between(&self.base, &-value, value)?);
        Some(most.select(&at_least_zero(value), f64::NEG_INFINITY))
    }

    fn log_survival(&self, value: &Tensor<S, E, D>) -> Option<Tensor<S, E, D>> {
        let (above, below) = (self.base.log_survival(value)?, self.base.log_cdf(&-value)?);
        Some(above.logaddexp(&below).select(&at_least_zero(value), 0.0))
    }

    fn check_parameters(&self) -> Result<(), ParameterError> {
        self.base.check_parameters()
    }

    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        self.base.parameters_at(element)
    }
}

/// Which values are in the support; a NaN stays one.
fn at_least_zero<S: Shape, E: Dtype, D: Backend<E>>(value: &Tensor<S, E, D>) -> Vec<bool> {
    value.read(|values| values.iter().map(|v| *v >= E::of(0.0) || v.is_nan()).collect())
}
