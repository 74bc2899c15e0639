//! Trailing axes of a batch as part of one event.

use std::marker::PhantomData;

use dfdx::shapes::{Axes, ReduceShape, Shape};

use crate::backend::Backend;
use crate::constraint::Support;
use crate::distribution::{Distribution, ParameterError};
use crate::dtype::Dtype;
use crate::rng::Rng;
use crate::tensor::Tensor;

/// A distribution whose trailing batch axes `Ax` count as one event: their log-densities are summed.
///
/// Made by [`Distribution::to_event`].
#[derive(Clone, Debug)]
pub struct Independent<P, Ax> {
    base: P,
    axes: PhantomData<fn() -> Ax>,
}

impl<P, Ax> Independent<P, Ax> {
    /// The trailing axes `Ax` of `base` as an event.
    ///
    /// # Panics
    /// If the axes are not the last ones of the batch, which belong to no plate.
    #[track_caller]
    pub fn new<E: Dtype, D: Backend<E>>(base: P) -> Self
    where
        P: Distribution<E, D>,
        P::Batch: ReduceShape<Ax>,
        Ax: Axes,
    {
        let dims: Vec<usize> = base.batch_shape().concrete().into();
        let kept = <P::Batch as ReduceShape<Ax>>::Reduced::NUM_DIMS;
        let axes: Vec<isize> = Ax::as_array().into_iter().collect();
        // A shape without axes has the formal axis 0.
        assert!(
            dims.is_empty() || axes.iter().all(|&axis| axis >= kept as isize),
            "to_event: the axes of an event must be the last ones of the batch {dims:?} of {}, not {axes:?}",
            base.name()
        );
        Independent { base, axes: PhantomData }
    }

    /// The distribution of the single elements.
    pub fn base(&self) -> &P {
        &self.base
    }
}

impl<P, Ax, E, D> Distribution<E, D> for Independent<P, Ax>
where
    P: Distribution<E, D>,
    P::Batch: ReduceShape<Ax>,
    Ax: Axes,
    E: Dtype,
    D: Backend<E>,
{
    type Value = P::Value;
    type Batch = <P::Batch as ReduceShape<Ax>>::Reduced;

    fn name(&self) -> &'static str {
        self.base.name()
    }

    fn batch_shape(&self) -> Self::Batch {
        let dims: Vec<usize> = self.base.batch_shape().concrete().into();
        crate::tensor::shape_from_dims(&dims[..Self::Batch::NUM_DIMS]).expect("`new` has checked the axes")
    }

    fn event_dims(&self) -> Vec<usize> {
        let dims: Vec<usize> = self.base.batch_shape().concrete().into();
        let kept = Self::Batch::NUM_DIMS;
        dims[kept..].iter().copied().chain(self.base.event_dims()).collect()
    }

    fn draw(&self, rng: &mut Rng) -> P::Value {
        self.base.draw(rng)
    }

    fn has_rsample(&self) -> bool {
        self.base.has_rsample()
    }

    fn log_prob(&self, value: &P::Value) -> Tensor<Self::Batch, E, D> {
        self.base.log_prob(value).sum::<Self::Batch, Ax>()
    }

    fn log_prob_sum(&self, value: &P::Value) -> Tensor<(), E, D> {
        self.base.log_prob_sum(value)
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

    fn entropy(&self) -> Option<Tensor<Self::Batch, E, D>> {
        Some(self.base.entropy()?.sum::<Self::Batch, Ax>())
    }

    fn check_parameters(&self) -> Result<(), ParameterError> {
        self.base.check_parameters()
    }

    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        let dims: Vec<usize> = self.base.batch_shape().concrete().into();
        let summed: usize = dims[Self::Batch::NUM_DIMS..].iter().product();
        self.base.parameters_at(element * summed)
    }
}
