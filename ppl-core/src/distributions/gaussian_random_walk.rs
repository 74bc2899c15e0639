//! Sums of independent normal steps.

use std::sync::Arc;

use dfdx::shapes::{ConstShape, Shape};
use rand::Rng as _;
use rand_distr::StandardNormal;

use crate::backend::Backend;
use crate::constraint::{Positive, Real, Support};
use crate::distribution::{Distribution, Expand, ParameterError, check_event, check_parameter};
use crate::dtype::Dtype;
use crate::ops::check_expands;
use crate::rng::Rng;
use crate::tensor::{Flat, IntoTensor, Operand, Tensor};

use super::Normal;
use super::shapes::{LastAxis, WithoutLast, check_value_shape, number_at};

/// A walk from 0 with independent normal steps of standard deviation `scale`: x₁, x₁ + step, ….
///
/// Density: Πₜ Normal(xₜ | xₜ₋₁, scale), with x₀ = 0 before the first step.
///
/// Shapes: values have the shape `V`, whose last axis is time; `scale` has the shape without it, or
/// is one number.
///
/// ```
/// use ppl_core::{Cpu, Rank1, Tensor, distribution::Distribution, distributions::GaussianRandomWalk};
/// let walk = GaussianRandomWalk::<Rank1<3>, f64, Cpu>::new(2.0);
/// assert_eq!(walk.variance().unwrap().to_vec(), [4.0, 8.0, 12.0]);
/// ```
#[derive(Clone, Debug)]
pub struct GaussianRandomWalk<V: Shape, E: Dtype, D: Backend<E>> {
    scale: Operand<WithoutLast<V>, E, D>,
    shape: V,
}

impl<V: ConstShape, E: Dtype, D: Backend<E>> GaussianRandomWalk<V, E, D> {
    /// The standard deviation of a step, for walks of a length known at compile time.
    pub fn new(scale: impl IntoTensor<WithoutLast<V>, E, D>) -> Self {
        Self::with_shape(scale, V::default())
    }
}

impl<V: Shape, E: Dtype, D: Backend<E>> GaussianRandomWalk<V, E, D> {
    /// The standard deviation of a step, and the shape of values, whose last axis is time.
    ///
    /// # Panics
    /// If `scale` has another shape than the values without time.
    #[track_caller]
    pub fn with_shape(scale: impl IntoTensor<WithoutLast<V>, E, D>, shape: V) -> Self {
        let walk = GaussianRandomWalk { scale: scale.into_operand(), shape };
        if let Operand::Full(scale) = &walk.scale {
            check_value_shape("GaussianRandomWalk", scale.shape(), walk.batch_shape());
        }
        walk
    }

    /// The shape of the batch of values of a shape.
    fn batch_of(shape: V) -> WithoutLast<V> {
        let dims: Vec<usize> = shape.concrete().into();
        crate::tensor::shape_from_dims(&dims[..dims.len() - 1]).expect("the batch has all axes but time")
    }

    fn steps(&self) -> usize {
        self.shape.concrete().into().last().copied().unwrap_or(1)
    }

    /// The standard deviation of every step: one number, or one for each of the value's.
    fn scales(&self) -> Flat<E, D> {
        let scale = self.scale.flat();
        if scale.numel() == 1 {
            return scale;
        }
        D::take(scale, (0..self.shape.num_elements()).map(|i| i / self.steps()).collect())
    }

    /// The standard deviations as an operand beside values.
    fn spread_scale(&self) -> Tensor<V, E, D> {
        let scales = self.scales();
        if scales.numel() == self.shape.num_elements() {
            scales.reshape_like(&self.shape)
        } else {
            scales.reshape_like(&()).spread(self.shape)
        }
    }
}

impl<V: Shape, R: Shape, E: Dtype, D: Backend<E>> Expand<R> for GaussianRandomWalk<V, E, D> {
    type Expanded = GaussianRandomWalk<R, E, D>;
    type ExpandedBatch = WithoutLast<R>;

    /// The shape is the value's, whose last axis is time and stays.
    #[track_caller]
    fn expand(&self, shape: R) -> GaussianRandomWalk<R, E, D> {
        let (from, to): (Vec<usize>, Vec<usize>) = (self.shape.concrete().into(), shape.concrete().into());
        check_event(&from, &to, 1);
        check_expands(&from, &to);
        GaussianRandomWalk { scale: self.scale.expand(GaussianRandomWalk::<R, E, D>::batch_of(shape)), shape }
    }
}

impl<V: Shape, E: Dtype, D: Backend<E>> Distribution<E, D> for GaussianRandomWalk<V, E, D> {
    type Value = Tensor<V, E, D>;
    type Batch = WithoutLast<V>;

    fn name(&self) -> &'static str {
        "GaussianRandomWalk"
    }

    fn batch_shape(&self) -> WithoutLast<V> {
        Self::batch_of(self.shape)
    }

    fn event_dims(&self) -> Vec<usize> {
        vec![self.steps()]
    }

    fn draw(&self, rng: &mut Rng) -> Tensor<V, E, D> {
        let steps = self.steps();
        let mut at = 0.0;
        let walked = (0..self.shape.num_elements()).map(|i| {
            let step: f64 = rng.sample(StandardNormal);
            at = if i % steps == 0 { step } else { at + step };
            E::of(at)
        });
        Tensor::from_vec(walked.collect(), self.shape) * self.spread_scale()
    }

    fn has_rsample(&self) -> bool {
        true
    }

    fn log_prob(&self, value: &Tensor<V, E, D>) -> Tensor<WithoutLast<V>, E, D> {
        check_value_shape("GaussianRandomWalk", value.shape(), self.shape);
        let steps = self.steps();
        let before = (0..value.numel()).map(|i| if i % steps == 0 { i } else { i - 1 }).collect();
        let before = D::take(value.flat(), before).reshape_like(&self.shape);
        let later: Vec<bool> = (0..value.numel()).map(|i| i % steps != 0).collect();
        let moved = value - before.select(&later, 0.0);
        Normal::new(0.0, self.spread_scale()).log_prob(&moved).sum::<WithoutLast<V>, LastAxis<V>>()
    }

    fn support(&self) -> Support<E, D> {
        Arc::new(Real)
    }

    fn mean(&self) -> Option<Tensor<V, E, D>> {
        Some(Tensor::full_like(E::of(0.0), self.shape))
    }

    fn variance(&self) -> Option<Tensor<V, E, D>> {
        let steps = self.steps();
        let times = (0..self.shape.num_elements()).map(|i| E::of((i % steps + 1) as f64)).collect();
        Some(self.spread_scale().square() * Tensor::from_vec(times, self.shape))
    }

    fn entropy(&self) -> Option<Tensor<WithoutLast<V>, E, D>> {
        Some(Normal::new(0.0, self.spread_scale()).entropy()?.sum::<WithoutLast<V>, LastAxis<V>>())
    }

    fn check_parameters(&self) -> Result<(), ParameterError> {
        check_parameter("scale", &self.scale, &Positive)
    }

    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        vec![("scale", number_at(&self.scale, element))]
    }
}
