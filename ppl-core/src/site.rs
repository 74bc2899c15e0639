//! A sample statement on its way through the handlers: a typed value on the stack of the model's
//! body, seen by handlers through an object-safe face.

use std::any::Any;
use std::sync::Arc;

use dfdx::shapes::Shape;

use crate::address::Address;
use crate::backend::Backend;
use crate::constraint::Support;
use crate::distribution::Distribution;
use crate::dtype::Dtype;
use crate::error::Error;
use crate::plate::Frames;
use crate::rng::Rng;
use crate::tensor::Tensor;
use crate::transform::{Flat, Identity, Map, Transform};
use crate::values::{AnyValue, SiteValue};

/// What is wrong with a continuous value that is no tensor.
const NO_NUMBERS: &str = "its values are no tensors of the model's dtype, so that they have no unconstrained numbers";

/// What stands behind a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SiteKind {
    /// `sample!`.
    Sample,
    /// `sample!(.., auxiliary)`: a variable of the guide alone.
    Auxiliary,
    /// `factor!`: a term of the log-density without a value.
    Factor,
    /// `deterministic!`: a recorded value without a density.
    Deterministic,
    /// A sample statement whose value was set by `intervene`: it has no density.
    Intervened,
}

/// Which of a site's plate elements count.
#[derive(Clone, Debug, PartialEq)]
pub enum SiteMask {
    /// All or none.
    All(bool),
    /// One flag for each combination of the elements of the plates around it, row-major.
    Elements(Arc<[bool]>),
}

/// The part of a site that does not depend on its distribution.
#[derive(Clone, Debug)]
pub struct SiteState {
    /// Its name.
    pub address: Address,
    /// What it is.
    pub kind: SiteKind,
    /// Whether its value is data.
    pub observed: bool,
    /// What its log-density is multiplied by: the plates' and the handlers'.
    pub scale: f64,
    /// Which of its elements count.
    pub mask: SiteMask,
    /// The plates around it, outermost first.
    pub frames: Frames,
}

impl SiteState {
    /// How many elements the vectorised plates around the site have together.
    pub fn plate_elements(&self) -> usize {
        self.frames.iter().filter(|f| !f.is_loop).map(|f| f.len).product()
    }

    /// Whether the value is a random variable's, so that it can be drawn, observed or substituted.
    pub fn is_random(&self) -> bool {
        matches!(self.kind, SiteKind::Sample | SiteKind::Auxiliary)
    }

    /// Whether the site has a density: it was neither computed nor set by an intervention.
    pub fn is_scored(&self) -> bool {
        !matches!(self.kind, SiteKind::Deterministic | SiteKind::Intervened)
    }
}

/// A site as handlers see it.
pub trait SampleSite<E: Dtype, D: Backend<E>> {
    /// Name, kind, scale, mask and plates.
    fn state(&self) -> &SiteState;

    /// The same, to be changed.
    fn state_mut(&mut self) -> &mut SiteState;

    /// The distribution's name.
    fn distribution(&self) -> &'static str;

    /// Whether draws carry pathwise gradients.
    fn has_rsample(&self) -> bool;

    /// Where its values live.
    fn support(&self) -> Support<E, D>;

    /// The value, once there is one.
    fn value(&self) -> Option<&dyn AnyValue>;

    /// Sets the value; `action` says how, for errors ("condition", "replay").
    ///
    /// # Errors
    /// If it has another type or shape than the distribution's values; the site stays as it was.
    fn set_value(&mut self, value: &dyn AnyValue, action: &'static str) -> Result<(), Error>;

    /// Forgets the value, so that it will be drawn.
    fn clear_value(&mut self);

    /// Sets the value to the image of unconstrained numbers under the one-to-one map onto the support
    /// ([`Constraint::biject_to`](crate::constraint::Constraint::biject_to)), and returns ln |det J|.
    ///
    /// # Errors
    /// If there is no such map (the values are discrete), or it takes another number of numbers.
    fn set_unconstrained(&mut self, numbers: &Flat<E, D>) -> Result<Tensor<(), E, D>, Error>;

    /// How many numbers [`SampleSite::set_unconstrained`] takes.
    ///
    /// # Errors
    /// If there is no such map.
    fn unconstrained_len(&self) -> Result<usize, Error>;

    /// The unconstrained numbers whose image the value is.
    ///
    /// # Errors
    /// As [`SampleSite::set_unconstrained`], and without a value.
    fn unconstrained(&self) -> Result<Flat<E, D>, Error>;

    /// Draws the value.
    fn draw(&mut self, rng: &mut Rng);

    /// The log-density of the value, masked, scaled and summed. Zero without a value.
    fn log_prob_sum(&self) -> Tensor<(), E, D>;

    /// The log-density for each element of the plates around the site, masked but not scaled, with
    /// event axes summed. Empty without a value, zeros where the site has no density.
    fn log_prob_elements(&self) -> Tensor<(usize,), E, D>;

    /// The entropy of all elements together, where it has a closed form: masked, not scaled. Zero
    /// where the site has no density.
    fn entropy(&self) -> Option<Tensor<(), E, D>>;

    /// The first element whose log-density is not finite, with the parameters there.
    fn explain_non_finite(&self) -> Error;

    /// All values of one element, where there are finitely many.
    fn enumerate_support(&self) -> Option<Vec<Box<dyn AnyValue>>>;

    /// The site's name.
    fn name(&self) -> &str {
        self.state().address.as_str()
    }

    /// Whether the value is data.
    fn is_observed(&self) -> bool {
        self.state().observed
    }

    /// Whether there is a value.
    fn has_value(&self) -> bool {
        self.value().is_some()
    }
}

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

    /// Checks that the value has the distribution's shape.
    ///
    /// # Errors
    /// If not, with both shapes.
    pub fn check_value_shape(&self, value: &P::Value, action: &'static str) -> Result<(), Error> {
        let expected = self.dims();
        let found = SiteValue::dims(value);
        // The unit value of a factor has no shape to check.
        if found == expected || size_of::<P::Value>() == 0 {
            return Ok(());
        }
        Err(Error::ValueShape { site: self.state.address.to_string(), action, found, expected })
    }

    /// The sizes of a value: those of the batch and of an event.
    fn dims(&self) -> Vec<usize> {
        let mut dims: Vec<usize> = self.distribution.batch_shape().concrete().into();
        dims.extend(self.distribution.event_dims());
        dims
    }

    /// The one-to-one map onto the support, and the sizes of a value.
    fn map(&self) -> Result<(Map<E, D>, Vec<usize>), Error> {
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

    fn problem(&self, problem: String) -> Error {
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
                let width = terms.numel() / mask.len().max(1);
                let spread: Vec<bool> = mask.iter().flat_map(|&m| std::iter::repeat_n(m, width)).collect();
                terms.select(&spread, 0.0)
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

    fn clear_value(&mut self) {
        self.value = None;
    }

    fn set_unconstrained(&mut self, numbers: &Flat<E, D>) -> Result<Tensor<(), E, D>, Error> {
        let (map, dims) = self.map()?;
        let expected = free_numbers(&*map, &dims);
        if numbers.numel() != expected {
            let problem = format!("{} unconstrained numbers were given, expected {expected}", numbers.numel());
            return Err(self.problem(problem));
        }
        let image = map.forward(numbers.clone());
        let value = P::Value::from_numbers(&image, &dims);
        self.value = Some(value.ok_or_else(|| self.problem(NO_NUMBERS.into()))?);
        // The identity's Jacobian would cost more than all else here.
        let is_identity = (&*map as &dyn Any).is::<Identity>();
        Ok(if is_identity { Tensor::zeros() } else { map.log_abs_det(numbers, &image).sum_all() })
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
