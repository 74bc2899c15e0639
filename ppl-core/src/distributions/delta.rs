//! A point mass.

use std::sync::Arc;

use crate::backend::Backend;
use crate::constraint::{Real, Support};
use crate::distribution::{Distribution, ParameterError, check_parameter};
use crate::dtype::Dtype;
use crate::rng::Rng;
use crate::tensor::{Operand, Tensor};
use crate::values::SiteValue;

/// All probability at one value, of any type; the batch is a single element.
///
/// Log-density: `log_density` (0 unless given) at the value. As in Pyro, a value given to the site
/// is taken to be the point itself, so that Delta guides can be scored.
///
/// Draws are the value itself, so gradients pass through them. The entropy is that of the score,
/// −`log_density`.
///
/// ```
/// use ppl_core::{Tensor, distribution::Distribution, distributions::Delta};
/// let point = Delta::<_, f64, ppl_core::Cpu>::certain(Tensor::from([1.0, 2.0]));
/// assert_eq!(point.mean().unwrap().to_vec(), [1.0, 2.0]);
/// ```
///
/// Reference: Pyro's `Delta`.
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

    fn entropy(&self) -> Option<Tensor<(), E, D>> {
        Some(-&self.log_density)
    }

    /// The log-density must be a number.
    fn check_parameters(&self) -> Result<(), ParameterError> {
        check_parameter("log_density", &Operand::<(), E, D>::Full(self.log_density.clone()), &Real)
    }

    fn parameters_at(&self, _: usize) -> Vec<(&'static str, f64)> {
        vec![("log_density", self.log_density.item().wide())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cpu;
    use crate::autodiff::grad;

    #[test]
    fn gradients_pass_through_draws_and_the_log_density() {
        let point = Tensor::<(), f64, Cpu>::scalar(3.0).tracked();
        let weight = Tensor::<(), f64, Cpu>::scalar(-0.5).tracked();
        let (value, grads) = grad(|| {
            let delta = Delta::new(point.clone(), weight.clone());
            let drawn = delta.draw(&mut Rng::seed(0));
            delta.log_prob(&drawn) + &drawn * &drawn
        });
        assert_eq!(value.item(), 8.5);
        assert_eq!(grads.get(&point).unwrap().item(), 6.0);
        assert_eq!(grads.get(&weight).unwrap().item(), 1.0);
    }

    #[test]
    fn entropy_is_minus_the_log_density() {
        let delta = Delta::<_, f64, Cpu>::new(7_usize, Tensor::scalar(-0.5));
        assert_eq!(delta.entropy().unwrap().item(), 0.5);
        assert_eq!((delta.mean(), delta.event_dims()), (Some(7), vec![]));
    }

    #[test]
    fn a_log_density_that_is_no_number_is_named() {
        let error = Delta::<_, f64, Cpu>::new(true, Tensor::scalar(f64::NAN)).check_parameters().unwrap_err();
        assert_eq!(error.parameter, "log_density");
    }
}
