//! A log-weight without a value.

use std::sync::Arc;

use dfdx::shapes::Shape;

use crate::backend::Backend;
use crate::constraint::{Real, Support};
use crate::distribution::{Distribution, Expand, ParameterError};
use crate::dtype::Dtype;
use crate::rng::Rng;
use crate::tensor::Tensor;

/// An unnormalised distribution over nothing, whose log-density is the given term: what `factor!`
/// scores. The entropy is that of the score, −`log_factor`, so that a factor in a guide counts alike
/// in a bound with closed entropies and in one without.
///
/// Shapes: the batch is that of `log_factor`; there is no value.
///
/// ```
/// use ppl_core::{Tensor, distribution::Distribution, distributions::Unit};
/// let penalty = Unit::new(Tensor::<_, f64>::from([-1.0, -2.0]));
/// assert_eq!(penalty.log_prob_sum(&()).item(), -3.0);
/// ```
///
/// Reference: Pyro's `Unit`.
#[derive(Clone, Debug)]
pub struct Unit<S: Shape, E: Dtype, D: Backend<E>> {
    log_factor: Tensor<S, E, D>,
}

impl<S: Shape, E: Dtype, D: Backend<E>> Unit<S, E, D> {
    /// A term of the log-density for each element.
    pub fn new(log_factor: Tensor<S, E, D>) -> Self {
        Unit { log_factor }
    }
}

impl<S: Shape, R: Shape, E: Dtype, D: Backend<E>> Expand<R> for Unit<S, E, D> {
    type Expanded = Unit<R, E, D>;
    type ExpandedBatch = R;

    #[track_caller]
    fn expand(&self, shape: R) -> Unit<R, E, D> {
        Unit { log_factor: self.log_factor.expand(shape) }
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> Distribution<E, D> for Unit<S, E, D> {
    type Value = ();
    type Batch = S;

    fn name(&self) -> &'static str {
        "Unit"
    }

    fn batch_shape(&self) -> S {
        self.log_factor.shape()
    }

    fn draw(&self, _: &mut Rng) {}

    fn has_rsample(&self) -> bool {
        true
    }

    fn log_prob(&self, (): &()) -> Tensor<S, E, D> {
        self.log_factor.clone()
    }

    fn support(&self) -> Support<E, D> {
        Arc::new(Real)
    }

    fn entropy(&self) -> Option<Tensor<S, E, D>> {
        Some(-&self.log_factor)
    }

    fn check_parameters(&self) -> Result<(), ParameterError> {
        Ok(())
    }

    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        let at = self.log_factor.read(|values| values.get(element).map_or(f64::NAN, |v| v.wide()));
        vec![("log_factor", at)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cpu;

    #[test]
    fn it_scores_its_factor() {
        let unit = Unit::new(Tensor::<_, f64, Cpu>::from([-1.0, 2.0]));
        assert_eq!(unit.log_prob(&()).to_vec(), [-1.0, 2.0]);
        assert_eq!(unit.entropy().unwrap().to_vec(), [1.0, -2.0]);
        assert_eq!(unit.parameters_at(1), [("log_factor", 2.0)]);
        assert_eq!(unit.enumerate_support(), None);
    }
}
