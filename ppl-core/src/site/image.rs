//! A site whose value was found from another draw, with a log-density of its own: what a guide that knows its
//! model only at run time shows in the place of the model's site.

use std::sync::Arc;

use crate::backend::Backend;
use crate::constraint::Support;
use crate::distribution::{BaseForm, Family};
use crate::dtype::Dtype;
use crate::error::Error;
use crate::rng::Rng;
use crate::tensor::Tensor;
use crate::transform::Flat;
use crate::values::AnyValue;

use super::{BaseSite, HasBase, SampleSite, SiteState};

/// A site with the value, name and plates of another one, and this log-density in the place of that of its
/// distribution; it multiplies no scale and knows no mask.
pub struct ImageSite<'s, E: Dtype, D: Backend<E>> {
    site: &'s mut dyn SampleSite<E, D>,
    log_density: Tensor<(), E, D>,
    name: &'static str,
}

impl<'s, E: Dtype, D: Backend<E>> ImageSite<'s, E, D> {
    /// The site, which has its value, with another log-density; `name` says in errors and traces where the value
    /// came from.
    pub fn new(site: &'s mut dyn SampleSite<E, D>, log_density: Tensor<(), E, D>, name: &'static str) -> Self {
        ImageSite { site, log_density, name }
    }
}

impl<E: Dtype, D: Backend<E>> SampleSite<E, D> for ImageSite<'_, E, D> {
    fn state(&self) -> &SiteState {
        self.site.state()
    }

    fn state_mut(&mut self) -> &mut SiteState {
        self.site.state_mut()
    }

    fn distribution(&self) -> &'static str {
        self.name
    }

    /// The value is a smooth function of what was drawn.
    fn has_rsample(&self) -> bool {
        true
    }

    fn support(&self) -> Support<E, D> {
        self.site.support()
    }

    fn value_dims(&self) -> Vec<usize> {
        self.site.value_dims()
    }

    fn value(&self) -> Option<&dyn AnyValue> {
        self.site.value()
    }

    fn set_value(&mut self, value: &dyn AnyValue, action: &'static str) -> Result<(), Error> {
        self.site.set_value(value, action)
    }

    fn set_numbers(&mut self, numbers: &[f64], action: &'static str) -> Result<(), Error> {
        self.site.set_numbers(numbers, action)
    }

    fn clear_value(&mut self) {
        self.site.clear_value();
    }

    fn set_unconstrained(&mut self, numbers: &Flat<E, D>) -> Result<Option<Tensor<(), E, D>>, Error> {
        self.site.set_unconstrained(numbers)
    }

    fn unconstrained_len(&self) -> Result<usize, Error> {
        self.site.unconstrained_len()
    }

    fn unconstrained(&self) -> Result<Flat<E, D>, Error> {
        self.site.unconstrained()
    }

    fn draw(&mut self, rng: &mut Rng) {
        self.site.draw(rng);
    }

    fn log_prob_sum(&self) -> Tensor<(), E, D> {
        self.log_density.clone()
    }

    /// The log-density in equal parts, so that times the scale they add up to it.
    fn log_prob_elements(&self) -> Tensor<(usize,), E, D> {
        let state = self.site.state();
        let n = state.plate_elements();
        (self.log_density.clone() * E::of(1.0 / (n.max(1) as f64 * state.scale))).expand((n,))
    }

    fn entropy(&self) -> Option<Tensor<(), E, D>> {
        None
    }

    fn family(&self) -> Option<Family<E, D>> {
        None
    }

    fn counted(&self) -> Option<Arc<[bool]>> {
        self.site.counted()
    }

    fn explain_non_finite(&self) -> Error {
        let numbers = self.site.value().and_then(|value| value.to_f64s()).unwrap_or_default();
        Error::NonFinite {
            site: self.name().to_owned(),
            distribution: self.name,
            log_prob: self.log_density.item().wide(),
            element: Vec::new(),
            parameters: format!("value = {numbers:?}"),
            step: None,
        }
    }

    fn enumerate_support(&self) -> Option<Vec<Box<dyn AnyValue>>> {
        None
    }
}

impl<E: Dtype, D: Backend<E>> HasBase<E, D> for ImageSite<'_, E, D> {
    fn base(&self, _: BaseForm) -> Option<BaseSite<E, D>> {
        None
    }

    fn flat(&self) -> Result<Flat<E, D>, Error> {
        self.site.flat()
    }

    fn set_flat(&mut self, numbers: &Flat<E, D>) -> Result<(), Error> {
        self.site.set_flat(numbers)
    }
}
