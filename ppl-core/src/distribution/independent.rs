//! Trailing axes of a batch as part of one event.

use std::marker::PhantomData;
use std::sync::Arc;

use dfdx::shapes::{Axes, ReduceShape, Shape};
use smallvec::SmallVec;

use crate::backend::Backend;
use crate::constraint::Support;
use crate::distribution::{
    BaseForm, Distribution, Expand, Family, LastAxes, NonFiniteElement, ParameterError, TakeBase, check_event,
};
use crate::dtype::Dtype;
use crate::functions::apply;
use crate::functions::special::Logsubexp;
use crate::rng::Rng;
use crate::tensor::{Flat, Tensor};
use crate::transform::Map;

/// A distribution whose trailing batch axes `Ax` count as one event: their log-densities are summed.
///
/// Log-density and entropy are sums over those axes, the cdf (of all elements at once) is their
/// product; an event has no quantiles, and its values are not enumerated. All else is the base's.
///
/// Shapes: values are those of the base; the batch has the base's axes without `Ax`.
///
/// ```
/// use ppl_core::{Axis, Tensor, distribution::Distribution, distributions::Normal};
/// let rows = Normal::new(Tensor::<_, f64>::from([[0.0, 1.0], [2.0, 3.0]]), 1.0).to_event::<Axis<1>>();
/// assert_eq!(rows.batch_shape(), (ppl_core::Const::<2>,));
/// assert_eq!(rows.event_dims(), [2]);
/// ```
///
/// Made by [`Distribution::to_event`].
#[derive(Clone, Debug)]
pub struct Independent<P, Ax> {
    base: P,
    /// The sizes of the base's batch, and how many of them are the event's.
    dims: SmallVec<[usize; 4]>,
    event: usize,
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
        Independent { base, event: dims.len() - kept, dims: dims.into(), axes: PhantomData }
    }

    /// The distribution of the single elements.
    pub fn base(&self) -> &P {
        &self.base
    }
}

impl<P, Ax> Independent<P, Ax> {
    /// The sizes of the base's axes that count as an event.
    fn axes_dims(&self) -> &[usize] {
        &self.dims[self.dims.len() - self.event..]
    }
}

impl<P, Ax, R> Expand<R> for Independent<P, Ax>
where
    P: Expand<R>,
    P::ExpandedBatch: LastAxes<Ax> + ReduceShape<<P::ExpandedBatch as LastAxes<Ax>>::Axes>,
    Ax: Axes,
    R: Shape,
{
    type Expanded = Independent<P::Expanded, <P::ExpandedBatch as LastAxes<Ax>>::Axes>;
    type ExpandedBatch = <P::ExpandedBatch as ReduceShape<<P::ExpandedBatch as LastAxes<Ax>>::Axes>>::Reduced;

    /// The base for the batch and the axes of the event, which stay the last ones.
    #[track_caller]
    fn expand(&self, shape: R) -> Self::Expanded {
        let whole: Vec<usize> = shape.concrete().into();
        let dims = &whole[..P::ExpandedBatch::NUM_DIMS];
        let event = dims.len() - Self::ExpandedBatch::NUM_DIMS;
        check_event(&self.dims, dims, event);
        Independent { base: self.base.expand(shape), dims: dims.into(), event, axes: PhantomData }
    }
}

/// Takes the base of the single elements, with the same axes as an event.
struct TakeEvent<T, Ax> {
    take: T,
    dims: SmallVec<[usize; 4]>,
    event: usize,
    axes: PhantomData<fn() -> Ax>,
}

impl<T, Ax, B, E, D> TakeBase<E, D, B> for TakeEvent<T, Ax>
where
    T: TakeBase<E, D, <B as ReduceShape<Ax>>::Reduced>,
    B: Shape + ReduceShape<Ax>,
    Ax: Axes,
    E: Dtype,
    D: Backend<E>,
{
    type Output = T::Output;

    fn take<P: Distribution<E, D, Batch = B>>(self, base: P, map: Map<E, D>) -> T::Output {
        self.take.take(Independent { base, dims: self.dims, event: self.event, axes: self.axes }, map)
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
        let kept = &self.dims[..Self::Batch::NUM_DIMS];
        crate::tensor::shape_from_dims(kept).expect("`new` has checked the axes")
    }

    fn event_dims(&self) -> Vec<usize> {
        self.axes_dims().iter().copied().chain(self.base.event_dims()).collect()
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

    fn has_cdf(&self) -> bool {
        self.base.has_cdf()
    }

    fn cdf(&self, value: &P::Value) -> Option<Tensor<Self::Batch, E, D>> {
        // By logarithms: an element of probability 0 makes the product 0, and its slope 0.
        Some(self.base.cdf(value)?.ln().sum::<Self::Batch, Ax>().exp())
    }

    fn log_cdf(&self, value: &P::Value) -> Option<Tensor<Self::Batch, E, D>> {
        Some(self.base.log_cdf(value)?.sum::<Self::Batch, Ax>())
    }

    /// ln(1 − F) from ln F, which keeps the digits of both.
    fn log_survival(&self, value: &P::Value) -> Option<Tensor<Self::Batch, E, D>> {
        let below = self.log_cdf(value)?;
        let shape = below.shape();
        Some(apply(Logsubexp, [Flat::vector(vec![E::of(0.0)]), below.into_flat()], shape))
    }

    fn with_base<T: TakeBase<E, D, Self::Batch>>(&self, form: BaseForm, take: T) -> Option<T::Output> {
        let take = TakeEvent { take, dims: self.dims.clone(), event: self.event, axes: self.axes };
        self.base.with_base(form, take)
    }

    fn family(&self) -> Option<Family<E, D>> {
        self.base.family()
    }

    fn counted(&self) -> Option<Arc<[bool]>> {
        self.base.counted()
    }

    fn check_parameters(&self) -> Result<(), ParameterError> {
        self.base.check_parameters()
    }

    /// The base's parameters at the first element of the event.
    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        let event: usize = self.axes_dims().iter().product();
        self.base.parameters_at(element * event)
    }

    /// The base's, which is one within an event.
    fn first_non_finite(&self, value: &P::Value, counts: &dyn Fn(usize) -> bool) -> Option<NonFiniteElement> {
        let event: usize = self.axes_dims().iter().product();
        self.base.first_non_finite(value, &|i| counts(i / event.max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distributions::Normal;
    use crate::{Axes2, Axis, Cpu, Rank2};

    fn normal() -> Normal<Rank2<2, 3>, f64, Cpu> {
        Normal::new(Tensor::from([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]), 2.0)
    }

    #[test]
    fn log_density_and_entropy_are_sums_over_the_event() {
        let (base, rows) = (normal(), normal().to_event::<Axis<1>>());
        let value = base.draw(&mut Rng::seed(4));
        assert_eq!(value, rows.draw(&mut Rng::seed(4)));
        let (each, whole) = (base.log_prob(&value).array(), rows.log_prob(&value).array());
        assert!((0..2).all(|i| (whole[i] - each[i].iter().sum::<f64>()).abs() < 1e-12));
        assert!((rows.log_prob_sum(&value).item() - whole.iter().sum::<f64>()).abs() < 1e-12);
        assert!((rows.entropy().unwrap().to_vec()[0] - 3.0 * base.entropy().unwrap().to_vec()[0]).abs() < 1e-12);
        assert_eq!(rows.mean(), base.mean());
        assert_eq!(rows.variance(), base.variance());
    }

    #[test]
    fn the_cdf_is_a_product_and_there_are_no_quantiles() {
        let (base, all) = (normal(), normal().to_event::<Axes2<0, 1>>());
        let value = Tensor::full(3.0);
        let product: f64 = base.cdf(&value).unwrap().to_vec().iter().product();
        assert!((all.cdf(&value).unwrap().item() - product).abs() < 1e-14);
        assert!(all.icdf(&Tensor::scalar(0.5)).is_none());
        assert_eq!((all.event_dims(), all.name()), (vec![2, 3], "Normal"));
    }

    #[test]
    fn parameters_are_those_at_the_first_element_of_the_event() {
        let rows = normal().to_event::<Axis<1>>();
        assert_eq!(rows.parameters_at(1)[0], ("loc", 3.0));
        // Once more: the axis that was an event before does not count twice.
        assert_eq!(rows.to_event::<Axis<0>>().parameters_at(0)[0], ("loc", 0.0));
    }

    #[test]
    #[should_panic(expected = "the axes of an event must be the last ones")]
    fn an_event_is_made_of_the_last_axes() {
        let _ = normal().to_event::<Axis<0>>();
    }
}
