//! A distribution with the log-density of some elements left out.

use std::sync::Arc;

use dfdx::shapes::Shape;

use crate::backend::Backend;
use crate::constraint::Support;
use crate::distribution::{Distribution, ParameterError};
use crate::dtype::Dtype;
use crate::rng::Rng;
use crate::tensor::Tensor;

/// A distribution whose elements count only where a mask is true: padding of sequences, missing
/// data. Draws are those of the base; log-density and entropy are 0 where the mask is false.
///
/// Made by [`Distribution::mask`].
#[derive(Clone, Debug)]
pub struct Masked<P> {
    base: P,
    mask: Arc<[bool]>,
}

impl<P> Masked<P> {
    /// The elements of `base` where `mask`, in row-major order over the batch, is true.
    ///
    /// # Panics
    /// If the mask has not one entry for each element of the batch.
    #[track_caller]
    pub fn new<E: Dtype, D: Backend<E>>(base: P, mask: impl Into<Arc<[bool]>>) -> Self
    where
        P: Distribution<E, D>,
    {
        let (mask, shape) = (mask.into(), base.batch_shape());
        let dims: Vec<usize> = shape.concrete().into();
        let (found, expected) = (mask.len(), shape.num_elements());
        assert!(found == expected, "{}: a mask of {found} elements for a batch of shape {dims:?}", base.name());
        Masked { base, mask }
    }
}

impl<P: Distribution<E, D>, E: Dtype, D: Backend<E>> Distribution<E, D> for Masked<P> {
    type Value = P::Value;
    type Batch = P::Batch;

    fn name(&self) -> &'static str {
        self.base.name()
    }

    fn batch_shape(&self) -> P::Batch {
        self.base.batch_shape()
    }

    fn event_dims(&self) -> Vec<usize> {
        self.base.event_dims()
    }

    fn draw(&self, rng: &mut Rng) -> P::Value {
        self.base.draw(rng)
    }

    fn has_rsample(&self) -> bool {
        self.base.has_rsample()
    }

    fn log_prob(&self, value: &P::Value) -> Tensor<P::Batch, E, D> {
        self.base.log_prob(value).select(&self.mask, 0.0)
    }

    fn support(&self) -> Support<E, D> {
        self.base.support()
    }

    fn mean(&self) -> Option<P::Value> {
        self.base.mean()
    }

    fn variance(&self) -> Option<P::Value> {
        self.base.variance()
    }

    fn entropy(&self) -> Option<Tensor<P::Batch, E, D>> {
        Some(self.base.entropy()?.select(&self.mask, 0.0))
    }

    fn enumerate_support(&self) -> Option<Vec<P::Value>> {
        self.base.enumerate_support()
    }

    fn check_parameters(&self) -> Result<(), ParameterError> {
        self.base.check_parameters()
    }

    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        self.base.parameters_at(element)
    }
}
