//! A sample statement with its distribution, typed, on the stack of the model's body.

use crate::backend::Backend;
use crate::constraint::Support;
use crate::distribution::{Distribution, Family, spread};
use crate::dtype::Dtype;
use crate::error::Error;
use crate::rng::Rng;
use crate::tensor::Tensor;
use crate::transform::{Flat, Identity, Map, Transform};
use crate::values::{AnyValue, SiteValue};
use dfdx::shapes::Shape;
use smallvec::SmallVec;
use std::any::Any;
use std::sync::Arc;

use super::{SampleSite, SiteMask, SiteState};

/// What is wrong with a continuous value that is no tensor.
pub(super) const NO_NUMBERS: &str =
    "its values are no tensors of the model's dtype, so that they have no unconstrained numbers";

/// The sizes of a value.
pub(super) type Dims = SmallVec<[usize; 4]>;

/// How many numbers a map takes for a value of the given sizes.
fn free_numbers<E: Dtype, D: Backend<E>>(map: &dyn Transform<E, D>, dims: &[usize]) -> usize {
    let (from, to) = map.event_lens();
    dims.iter().product::<usize>() / to.max(1) * from
}

/// A sample statement with its distribution.
pub struct TypedSite<P: Distribution<E, D>, E: Dtype, D: Backend<E>> {
    state: SiteState,
    distribution: P,
    value: Option<P::Value>,
    of: std::marker::PhantomData<(E, D)>,
}

impl<P: Distribution<E, D>, E: Dtype, D: Backend<E>> TypedSite<P, E, D> {
    /// A site, with its value if it is observed.
    pub fn new(state: SiteState, distribution: P, value: Option<P::Value>) -> Self {
        TypedSite { state, distribution, value, of: std::marker::PhantomData }
    }

    /// The distribution.
    pub fn distribution(&self) -> &P {
        &self.distribution
    }

    /// The value, if a handler has set one.
    pub fn into_value(self) -> Option<P::Value> {
        self.value
    }

    /// Sets the value to what was observed.
    ///
    /// # Errors
    /// If it has another shape than the distribution's values; the site stays as it was.
    pub fn observe(&mut self, value: P::Value) -> Result<(), Error> {
        self.check_value_shape(&value, "obs")?;
        self.value = Some(value);
        Ok(())
    }

    /// Checks that the value has the distribution's shape.
    ///
    /// # Errors
    /// If not, with both shapes.
    pub fn check_value_shape(&self, value: &P::Value, action: &'static str) -> Result<(), Error> {
        // The unit value of a factor has no shape to check.
        if size_of::<P::Value>() == 0 {
            return Ok(());
        }
        let (expected, found) = (self.dims(), SiteValue::dims(value));
        if found[..] == expected[..] {
            return Ok(());
        }
        Err(Error::ValueShape { site: self.state.address.to_string(), action, found, expected: expected.into_vec() })
    }

    /// The sizes of a value: those of the batch and of an event.
    pub(super) fn dims(&self) -> Dims {
        let mut dims: Dims = self.distribution.batch_shape().concrete().into_iter().collect();
        dims.extend(self.distribution.event_dims());
        dims
    }

    /// The one-to-one map onto the support, and the sizes of a value.
    fn map(&self) -> Result<(Map<E, D>, Dims), Error> {
        let (support, dims) = (self.distribution.support(), self.dims());
        let map = support.biject_to(&dims);
        let problem = || match support.is_discrete() {
            true => format!(
                "values of {} are discrete ({}), and have no gradient; sum them out, or sample them by a kernel of their own",
                self.distribution.name(),
                support.describe()
            ),
            false => format!("no smooth one-to-one map leads onto values that must be {}", support.describe()),
        };
        Ok((map.ok_or_else(|| self.problem(problem()))?, dims))
    }

    pub(super) fn problem(&self, problem: String) -> Error {
        Error::Site { site: self.state.address.to_string(), problem }
    }

    /// The log-density per batch element, masked.
    fn elements(&self, value: &P::Value) -> Tensor<P::Batch, E, D> {
        self.masked(self.distribution.log_prob(value))
    }

    /// A term for each batch element, 0 where the mask is false.
    fn masked(&self, terms: Tensor<P::Batch, E, D>) -> Tensor<P::Batch, E, D> {
        match &self.state.mask {
            SiteMask::All(true) => terms,
            SiteMask::All(false) => terms.select(&vec![false; terms.numel()], 0.0),
            SiteMask::Elements(mask) => {
                let counts = spread(mask, terms.numel());
                terms.select(&counts, 0.0)
            }
        }
    }
}

impl<P: Distribution<E, D>, E: Dtype, D: Backend<E>> TypedSite<P, E, D> {
    /// Whether the mask leaves an element of the batch in.
    fn counts(&self, element: usize) -> bool {
        match &self.state.mask {
            SiteMask::All(all) => *all,
            SiteMask::Elements(mask) => {
                let width = self.distribution.batch_shape().num_elements() / mask.len().max(1);
                mask.get(element / width.max(1)).copied().unwrap_or(true)
            }
        }
    }

    /// All terms are finite, but not their sum.
    fn overflow(&self, distribution: &'static str) -> Error {
        let log_prob = self.log_prob_sum().item().wide();
        let parameters = "each element's is finite, their scaled sum is not".into();
        let (site, element) = (self.state.address.to_string(), Vec::new());
        Error::NonFinite { site, distribution, log_prob, element, parameters, step: None }
    }
}

impl<P: Distribution<E, D>, E: Dtype, D: Backend<E>> SampleSite<E, D> for TypedSite<P, E, D> {
    fn state(&self) -> &SiteState {
        &self.state
    }

    fn state_mut(&mut self) -> &mut SiteState {
        &mut self.state
    }

    fn distribution(&self) -> &'static str {
        self.distribution.name()
    }

    fn has_rsample(&self) -> bool {
        self.distribution.has_rsample()
    }

    fn support(&self) -> Support<E, D> {
        self.distribution.support()
    }

    fn value_dims(&self) -> Vec<usize> {
        self.dims().into_vec()
    }

    fn value(&self) -> Option<&dyn AnyValue> {
        self.value.as_ref().map(|value| value as &dyn AnyValue)
    }

    fn set_value(&mut self, value: &dyn AnyValue, action: &'static str) -> Result<(), Error> {
        let Some(typed) = value.as_any().downcast_ref::<P::Value>() else {
            return Err(Error::ValueType {
                site: self.state.address.to_string(),
                action,
                found: value.type_name(),
                expected: std::any::type_name::<P::Value>(),
            });
        };
        self.check_value_shape(typed, action)?;
        self.value = Some(typed.clone());
        Ok(())
    }

    fn set_numbers(&mut self, numbers: &[f64], action: &'static str) -> Result<(), Error> {
        let dims = self.dims();
        let value = P::Value::from_f64s(numbers, &dims).ok_or_else(|| {
            let of = std::any::type_name::<P::Value>();
            self.problem(format!("{} numbers were given ({action}) that make no {of} of sizes {dims:?}", numbers.len()))
        })?;
        self.value = Some(value);
        Ok(())
    }

    fn clear_value(&mut self) {
        self.value = None;
    }

    fn set_unconstrained(&mut self, numbers: &Flat<E, D>) -> Result<Option<Tensor<(), E, D>>, Error> {
        let (map, dims) = self.map()?;
        let expected = free_numbers(&*map, &dims);
        if numbers.numel() != expected {
            let problem = format!("{} unconstrained numbers were given, expected {expected}", numbers.numel());
            return Err(self.problem(problem));
        }
        let is_identity = (&*map as &dyn Any).is::<Identity>();
        let image = (!is_identity).then(|| map.forward(numbers.clone()));
        let value = P::Value::from_numbers(image.as_ref().unwrap_or(numbers), &dims);
        self.value = Some(value.ok_or_else(|| self.problem(NO_NUMBERS.into()))?);
        Ok(image.map(|image| map.log_abs_det(numbers, &image).sum_all()))
    }

    fn unconstrained_len(&self) -> Result<usize, Error> {
        let (map, dims) = self.map()?;
        Ok(free_numbers(&*map, &dims))
    }

    fn unconstrained(&self) -> Result<Flat<E, D>, Error> {
        let numbers = self.value.as_ref().ok_or_else(|| self.problem("it has no value".into()))?.to_numbers();
        let numbers = numbers.and_then(|numbers| numbers.downcast::<Flat<E, D>>().ok());
        let numbers = numbers.ok_or_else(|| self.problem(NO_NUMBERS.into()))?;
        Ok(self.map()?.0.inverse(*numbers))
    }

    fn draw(&mut self, rng: &mut Rng) {
        let value = self.distribution.draw(rng);
        // A gradient through a draw that is not reparameterised would be a wrong one.
        self.value = Some(if self.distribution.has_rsample() { value } else { value.detach() });
    }

    fn log_prob_sum(&self) -> Tensor<(), E, D> {
        let Some(value) = self.value.as_ref().filter(|_| self.state.is_scored()) else {
            return Tensor::zeros();
        };
        let sum = match &self.state.mask {
            SiteMask::All(true) => self.distribution.log_prob_sum(value),
            SiteMask::All(false) => return Tensor::zeros(),
            SiteMask::Elements(_) => self.elements(value).sum_all(),
        };
        if self.state.scale == 1.0 { sum } else { sum * E::of(self.state.scale) }
    }

    fn log_prob_elements(&self) -> Tensor<(usize,), E, D> {
        let Some(value) = &self.value else {
            return Tensor::vector(Vec::new());
        };
        let count = self.state.plate_elements();
        if !self.state.is_scored() {
            return Tensor::full_like(E::of(0.0), (count,));
        }
        let elements = self.elements(value);
        let width = elements.numel() / count.max(1);
        let rows = elements.reshape_like(&(count, width));
        rows.sum::<(usize,), dfdx::shapes::Axis<1>>()
    }

    fn entropy(&self) -> Option<Tensor<(), E, D>> {
        if !self.state.is_scored() {
            return Some(Tensor::zeros());
        }
        Some(self.masked(self.distribution.entropy()?).sum_all())
    }

    fn family(&self) -> Option<Family<E, D>> {
        let family = self.distribution.family()?;
        Some(match &self.state.mask {
            SiteMask::All(true) => family,
            SiteMask::All(false) => family.clone().masked(&vec![false; family.len]),
            SiteMask::Elements(mask) => {
                let counts = spread(mask, family.len);
                family.masked(&counts)
            }
        })
    }

    fn counted(&self) -> Option<Arc<[bool]>> {
        let own = self.distribution.counted();
        let count = self.dims().iter().product::<usize>();
        let given = match &self.state.mask {
            SiteMask::All(true) => return own,
            SiteMask::All(false) => vec![false; count],
            SiteMask::Elements(mask) => spread(mask, count),
        };
        Some(match own {
            Some(own) => own.iter().zip(given).map(|(&own, given)| own && given).collect(),
            None => given.into(),
        })
    }

    fn explain_non_finite(&self) -> Error {
        let site = self.state.address.to_string();
        let distribution = self.distribution.name();
        let Some(value) = &self.value else {
            return Error::Site { site, problem: "it has no value".into() };
        };
        let Some(found) = self.distribution.first_non_finite(value, &|i| self.counts(i)) else {
            return self.overflow(distribution);
        };
        let named = found.parameters.iter().map(|(name, value)| format!("{name} = {value}"));
        let value = format!("value = {}", value.shown_at(found.position, found.count));
        Error::NonFinite {
            site,
            distribution,
            log_prob: found.log_prob,
            element: found.element,
            parameters: named.chain([value]).collect::<Vec<_>>().join(", "),
            step: None,
        }
    }

    fn enumerate_support(&self) -> Option<Vec<Box<dyn AnyValue>>> {
        let values = self.distribution.enumerate_support()?;
        Some(values.into_iter().map(|value| Box::new(value) as Box<dyn AnyValue>).collect())
    }
}
