//! A point mass.

use std::sync::Arc;

use dfdx::shapes::Shape;

use crate::backend::Backend;
use crate::constraint::{Real, Support};
use crate::distribution::{Distribution, EndsWith, Expand, ParameterError, StartsWith, check_event, check_parameter};
use crate::dtype::Dtype;
use crate::ops::expanded_positions;
use crate::rng::Rng;
use crate::tensor::{Operand, Tensor, shape_from_dims};
use crate::values::SiteValue;

use super::shapes::number_at;

/// All probability at one value, of any type.
///
/// Log-density: `log_density` (0 unless given) at the value. As in Pyro, a value given to the site
/// is taken to be the point itself, so that Delta guides can be scored.
///
/// Shapes: the batch `B` is the log-density's shape, with which the value's shape begins; the axes
/// after those are the event. In plates the batch must have their axes: [`Delta::elementwise`].
///
/// Draws are the value itself, so gradients pass through them. The entropy is that of the score,
/// −`log_density`.
///
/// ```
/// use ppl_core::{Tensor, distribution::Distribution, distributions::Delta};
/// let point = Delta::<Tensor<_, f64>, f64, ppl_core::Cpu>::certain(Tensor::from([1.0, 2.0]));
/// assert_eq!(point.mean().unwrap().to_vec(), [1.0, 2.0]);
/// ```
///
/// Reference: Pyro's `Delta`.
#[derive(Clone, Debug)]
pub struct Delta<V, E: Dtype, D: Backend<E>, B: Shape = ()> {
    value: V,
    log_density: Operand<B, E, D>,
    batch: B,
}

impl<V: SiteValue, E: Dtype, D: Backend<E>> Delta<V, E, D> {
    /// All probability at `value`, which is one event.
    pub fn certain(value: V) -> Self {
        Delta { value, log_density: Operand::Number(0.0), batch: () }
    }
}

impl<S: Shape, E: Dtype, D: Backend<E>> Delta<Tensor<S, E, D>, E, D, S> {
    /// All probability of each element at its own value, so that the axes can belong to plates.
    pub fn elementwise(value: Tensor<S, E, D>) -> Self {
        let batch = value.shape();
        Delta { value, log_density: Operand::Number(0.0), batch }
    }
}

impl<V: SiteValue, E: Dtype, D: Backend<E>, B: Shape> Delta<V, E, D, B> {
    /// All probability at `value`, with a log-density there other than 0, as a transformed variable
    /// has: one for each element of the batch.
    ///
    /// # Panics
    /// If the value's shape does not begin with the log-density's.
    #[track_caller]
    pub fn new(value: V, log_density: Tensor<B, E, D>) -> Self {
        let (whole, batch) = (value.dims(), log_density.dims());
        assert!(
            whole.starts_with(&batch),
            "Delta: a value of shape {whole:?} has a log-density of shape {batch:?}, with which it must begin"
        );
        Delta { value, batch: log_density.shape(), log_density: Operand::Full(log_density) }
    }
}

/// The batch that a value of the shape `to` begins with, if its event is that of `from`.
#[track_caller]
fn batch_of<B: Shape, S: Shape, R: Shape>(from: S, to: R) -> B {
    let (from, to): (Vec<usize>, Vec<usize>) = (from.concrete().into(), to.concrete().into());
    check_event(&from, &to, to.len() - B::NUM_DIMS);
    shape_from_dims(&to[..B::NUM_DIMS]).expect("the batch's axes come first")
}

impl<S, R, E, D, B> Expand<R> for Delta<Tensor<S, E, D>, E, D, B>
where
    S: StartsWith<B>,
    R: EndsWith<S::Rest>,
    E: Dtype,
    D: Backend<E>,
    B: Shape,
{
    type Expanded = Delta<Tensor<R, E, D>, E, D, R::Rest>;
    type ExpandedBatch = R::Rest;

    /// The shape is the value's.
    #[track_caller]
    fn expand(&self, shape: R) -> Self::Expanded {
        let batch = batch_of(self.value.shape(), shape);
        Delta { value: self.value.expand(shape), log_density: self.log_density.expand(batch), batch }
    }
}

impl<S, R, E, D, B> Expand<R> for Delta<Tensor<S, usize, D>, E, D, B>
where
    S: StartsWith<B>,
    R: EndsWith<S::Rest>,
    E: Dtype,
    D: Backend<E>,
    B: Shape,
{
    type Expanded = Delta<Tensor<R, usize, D>, E, D, R::Rest>;
    type ExpandedBatch = R::Rest;

    /// The shape is the value's.
    #[track_caller]
    fn expand(&self, shape: R) -> Self::Expanded {
        let batch = batch_of(self.value.shape(), shape);
        let (values, dims) = (self.value.to_vec(), SiteValue::dims(&self.value));
        let positions = expanded_positions(&dims, &shape.concrete().into());
        let value = Tensor::from_vec(positions.into_iter().map(|i| values[i]).collect(), shape);
        Delta { value, log_density: self.log_density.expand(batch), batch }
    }
}

impl<V: SiteValue, E: Dtype, D: Backend<E>, B: Shape> Distribution<E, D> for Delta<V, E, D, B> {
    type Value = V;
    type Batch = B;

    fn name(&self) -> &'static str {
        "Delta"
    }

    fn batch_shape(&self) -> B {
        self.batch
    }

    fn event_dims(&self) -> Vec<usize> {
        self.value.dims().split_off(B::NUM_DIMS)
    }

    fn draw(&self, _: &mut Rng) -> V {
        self.value.clone()
    }

    fn has_rsample(&self) -> bool {
        true
    }

    fn log_prob(&self, _: &V) -> Tensor<B, E, D> {
        self.log_density.spread(self.batch)
    }

    fn support(&self) -> Support<E, D> {
        Arc::new(Real)
    }

    fn mean(&self) -> Option<V> {
        Some(self.value.clone())
    }

    fn entropy(&self) -> Option<Tensor<B, E, D>> {
        Some(-self.log_density.spread(self.batch))
    }

    /// The log-density must be a number.
    fn check_parameters(&self) -> Result<(), ParameterError> {
        check_parameter("log_density", &self.log_density, &Real)
    }

    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        let at = number_at(&self.log_density, element);
        vec![("log_density", at)]
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
    fn the_batch_is_the_log_densitys() {
        let value = Tensor::<_, f64, Cpu>::from([[1.0, 2.0], [3.0, 4.0]]);
        let rows = Delta::new(value.clone(), Tensor::<_, f64, Cpu>::from([0.5, -0.5]));
        assert_eq!((rows.event_dims(), rows.log_prob(&value).to_vec()), (vec![2], vec![0.5, -0.5]));
        assert_eq!(rows.parameters_at(1), [("log_density", -0.5)]);
        let each = Delta::elementwise(value.clone());
        assert_eq!((each.event_dims(), each.log_prob(&value).to_vec()), (vec![], vec![0.0; 4]));
    }

    #[test]
    #[should_panic(expected = "a value of shape [2] has a log-density of shape [3]")]
    fn a_log_density_of_another_shape_is_refused() {
        Delta::new(Tensor::<_, f64, Cpu>::from([0.0; 2]), Tensor::<_, f64, Cpu>::from([0.0; 3]));
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
