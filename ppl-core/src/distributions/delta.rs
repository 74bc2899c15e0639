//! A point mass.

use std::sync::Arc;

use crate::backend::Backend;
use crate::constraint::{Real, Support};
use crate::distribution::{Distribution, ParameterError};
use crate::dtype::Dtype;
use crate::rng::Rng;
use crate::tensor::Tensor;
use crate::values::SiteValue;

/// All probability at one value, of any type; the batch is a single element.
///
/// Log-density: `log_density` (0 unless given) at the value. As in Pyro, a value given to the site
/// is taken to be the point itself, so that Delta guides can be scored.
///
/// Draws are the value itself, so gradients pass through them.
#[derive(Clone, Debug)]
pub struct Delta<V, E: Dtype, D: Backend<E>> {
    value: V,
    log_density: Tensor<(), E, D>,
}

impl<V: SiteValue, E: Dtype, D: Backend<E>> Delta<V, E, D> {
    /// All probability at `value`.
    pub fn certain(value: V) -> Self {
        Self::new(value, Tensor::zeros())
    }

    /// All probability at `value`, with a log-density there other than 0, as a transformed variable
    /// has.
    pub fn new(value: V, log_density: Tensor<(), E, D>) -> Self {
        Delta { value, log_density }
    }
}

impl<V: SiteValue, E: Dtype, D: Backend<E>> Distribution<E, D> for Delta<V, E, D> {
    type Value = V;
    type Batch = ();

    fn name(&self) -> &'static str {
        "Delta"
    }

    fn batch_shape(&self) {}

    fn event_dims(&self) -> Vec<usize> {
        self.value.dims()
    }

    fn draw(&self, _: &mut Rng) -> V {
        self.value.clone()
    }

    fn has_rsample(&self) -> bool {
        true
    }

    fn log_prob(&self, _: &V) -> Tensor<(), E, D> {
        self.log_density.clone()
    }

    fn support(&self) -> Support<E, D> {
        Arc::new(Real)
    }

    fn mean(&self) -> Option<V> {
        Some(self.value.clone())
    }

    fn check_parameters(&self) -> Result<(), ParameterError> {
        Ok(())
    }

    fn parameters_at(&self, _: usize) -> Vec<(&'static str, f64)> {
        vec![("log_density", self.log_density.item().wide())]
    }
}
