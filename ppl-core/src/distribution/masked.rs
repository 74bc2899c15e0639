//! A distribution with the log-density of some elements left out.

use std::sync::Arc;

use dfdx::shapes::Shape;
use smallvec::SmallVec;

use crate::backend::Backend;
use crate::constraint::Support;
use crate::distribution::{BaseForm, Distribution, Expand, Family, NonFiniteElement, ParameterError, TakeBase, spread};
use crate::dtype::Dtype;
use crate::ops::expanded_positions;
use crate::rng::Rng;
use crate::tensor::Tensor;
use crate::transform::Map;

/// A distribution whose elements count only where a mask is true: padding of sequences, missing
/// data. Log-density and entropy are 0, without gradients, where the mask is false; draws and all
/// else are the base's.
///
/// ```
/// use ppl_core::{Tensor, distribution::Distribution, distributions::Normal};
/// let seen = Normal::new(Tensor::<_, f64>::from([0.0, 0.0]), 1.0).mask([true, false]);
/// assert_eq!(seen.log_prob(&Tensor::from([0.0, f64::NAN])).to_vec()[1], 0.0);
/// ```
///
/// Made by [`Distribution::mask`].
#[derive(Clone, Debug)]
pub struct Masked<P> {
    base: P,
    mask: Arc<[bool]>,
    /// The sizes of the batch.
    dims: SmallVec<[usize; 4]>,
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
        Masked { base, mask, dims: dims.into() }
    }

    /// The distribution without the mask.
    pub fn base(&self) -> &P {
        &self.base
    }
}

impl<P: Expand<R>, R: Shape> Expand<R> for Masked<P> {
    type Expanded = Masked<P::Expanded>;
    type ExpandedBatch = P::ExpandedBatch;

    /// The mask repeats with the batch.
    #[track_caller]
    fn expand(&self, shape: R) -> Self::Expanded {
        let base = self.base.expand(shape);
        let whole: Vec<usize> = shape.concrete().into();
        let dims = &whole[..P::ExpandedBatch::NUM_DIMS];
        let mask = expanded_positions(&self.dims, dims).into_iter().map(|i| self.mask[i]).collect();
        Masked { base, mask, dims: dims.into() }
    }
}

/// Takes the base of the distribution without the mask, with the same mask.
struct TakeMasked<T> {
    take: T,
    mask: Arc<[bool]>,
    dims: SmallVec<[usize; 4]>,
}

impl<T: TakeBase<E, D, B>, B: Shape, E: Dtype, D: Backend<E>> TakeBase<E, D, B> for TakeMasked<T> {
    type Output = T::Output;

    fn take<P: Distribution<E, D, Batch = B>>(self, base: P, map: Map<E, D>) -> T::Output {
        self.take.take(Masked { base, mask: self.mask, dims: self.dims }, map)
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

    fn has_cdf(&self) -> bool {
        self.base.has_cdf()
    }

    fn cdf(&self, value: &P::Value) -> Option<Tensor<P::Batch, E, D>> {
        self.base.cdf(value)
    }

    fn survival(&self, value: &P::Value) -> Option<Tensor<P::Batch, E, D>> {
        self.base.survival(value)
    }

    fn log_cdf(&self, value: &P::Value) -> Option<Tensor<P::Batch, E, D>> {
        self.base.log_cdf(value)
    }

    fn log_survival(&self, value: &P::Value) -> Option<Tensor<P::Batch, E, D>> {
        self.base.log_survival(value)
    }

    fn icdf(&self, probability: &Tensor<P::Batch, E, D>) -> Option<P::Value> {
        self.base.icdf(probability)
    }

    fn enumerate_support(&self) -> Option<Vec<P::Value>> {
        self.base.enumerate_support()
    }

    fn with_base<T: TakeBase<E, D, P::Batch>>(&self, form: BaseForm, take: T) -> Option<T::Output> {
        self.base.with_base(form, TakeMasked { take, mask: self.mask.clone(), dims: self.dims.clone() })
    }

    fn family(&self) -> Option<Family<E, D>> {
        Some(self.base.family()?.masked(&self.mask))
    }

    fn counted(&self) -> Option<Arc<[bool]>> {
        let event: usize = self.base.event_dims().iter().product();
        let given = spread(&self.mask, self.mask.len() * event);
        Some(match self.base.counted() {
            Some(own) => own.iter().zip(given).map(|(&own, given)| own && given).collect(),
            None => given.into(),
        })
    }

    fn check_parameters(&self) -> Result<(), ParameterError> {
        self.base.check_parameters()
    }

    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        self.base.parameters_at(element)
    }

    fn first_non_finite(&self, value: &P::Value, counts: &dyn Fn(usize) -> bool) -> Option<NonFiniteElement> {
        self.base.first_non_finite(value, &|i| self.mask[i] && counts(i))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autodiff::grad;
    use crate::distributions::{Bernoulli, Dirichlet, Normal};
    use crate::{Axis, Cpu};

    #[test]
    fn masked_elements_have_neither_density_nor_gradient() {
        let loc = Tensor::<_, f64, Cpu>::from([1.0, f64::NAN]).tracked();
        let value = Tensor::from([3.0, f64::NAN]);
        let (sum, grads) = grad(|| Normal::new(&loc, 1.0).mask([true, false]).log_prob_sum(&value));
        assert!((sum.item() + 2.0 + 0.5 * (2.0 * std::f64::consts::PI).ln()).abs() < 1e-12);
        assert_eq!(grads.get(&loc).unwrap().to_vec(), [2.0, 0.0]);
    }

    #[test]
    fn all_but_density_and_entropy_is_the_base() {
        let base = Bernoulli::new(Tensor::<_, f64, Cpu>::from([0.25, 0.75]));
        let masked = base.clone().mask([false, true]);
        let value = Tensor::from([0.0, 0.0]);
        assert_eq!(masked.cdf(&value), base.cdf(&value));
        assert_eq!(masked.icdf(&Tensor::from([0.5, 0.5])), base.icdf(&Tensor::from([0.5, 0.5])));
        assert_eq!((masked.mean(), masked.variance()), (base.mean(), base.variance()));
        assert_eq!(masked.enumerate_support(), base.enumerate_support());
        assert_eq!(masked.draw(&mut Rng::seed(2)), base.draw(&mut Rng::seed(2)));
        assert_eq!(masked.entropy().unwrap().to_vec()[0], 0.0);
        assert_eq!(masked.parameters_at(1), base.parameters_at(1));
    }

    #[test]
    fn a_mask_counts_numbers_of_rows() {
        let rows = Dirichlet::new(Tensor::<_, f64, Cpu>::from([[1.0, 2.0], [0.5, 0.5], [3.0, 1.0]]));
        assert_eq!(rows.counted(), None);
        let masked = rows.mask([true, false, true]);
        assert_eq!(*masked.counted().unwrap(), [true, true, false, false, true, true]);
        let both = masked.mask([false, true, true]).to_event::<Axis<0>>();
        assert_eq!(*both.counted().unwrap(), [false, false, false, false, true, true]);
    }

    #[test]
    #[should_panic(expected = "Normal: a mask of 1 elements for a batch of shape [2]")]
    fn a_mask_has_one_entry_for_each_element() {
        let _ = Normal::new(Tensor::<_, f64, Cpu>::from([0.0, 1.0]), 1.0).mask([true]);
    }
}
