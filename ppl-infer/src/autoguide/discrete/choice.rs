//! A model's site whose value is drawn from a guide's own probabilities of the values that it can have.

use std::sync::Arc;

use ppl_core::backend::Backend;
use ppl_core::constraint::Support;
use ppl_core::distribution::{BaseForm, Family};
use ppl_core::distributions::Categorical;
use ppl_core::rng::Rng;
use ppl_core::site::{BaseSite, HasBase, SampleSite, SiteState, TypedSite};
use ppl_core::transform::Flat;
use ppl_core::values::AnyValue;
use ppl_core::{Dtype, Error, Tensor};

use super::{DiscreteParallel, Probs, Table};
use crate::autoguide::Named;

/// Which value of the list each element has.
type Chosen<E, D> = TypedSite<Categorical<(usize, usize), E, D>, E, D>;

/// A site with the name, plates and values of a model's, and the density of the guide: each of its elements is one of
/// the values of a list, with probabilities of its own.
pub(in crate::autoguide) struct ChoiceSite<'s, E: Dtype, D: Backend<E>> {
    site: &'s mut dyn SampleSite<E, D>,
    table: &'s Table,
    support: Vec<Vec<f64>>,
    /// The site's state, and its density.
    chosen: Chosen<E, D>,
}

impl<'s, E: Dtype, D: Backend<E>> ChoiceSite<'s, E, D> {
    /// # Errors
    /// If the site's elements or values are not the table's.
    pub(in crate::autoguide) fn new(
        site: &'s mut dyn SampleSite<E, D>,
        table: &'s Table,
        probs: Probs<E, D>,
    ) -> Result<Self, Error> {
        let support = table.support(site)?;
        let chosen = TypedSite::new(site.state().clone(), Categorical::new(probs), None);
        Ok(ChoiceSite { site, table, support, chosen })
    }

    /// Reads off the site's value which of the list each element is.
    fn read(&mut self, action: &'static str) -> Result<(), Error> {
        let numbers = self.site.value().and_then(|value| value.to_f64s()).unwrap_or_default();
        let Some(chosen) = self.table.chosen(&self.support, &numbers) else {
            self.clear_value();
            let problem = format!("a value was given ({action}) that is none of those that its distribution lists");
            return Err(Error::Site { site: self.name().to_owned(), problem });
        };
        let count = chosen.len();
        let chosen: Tensor<(usize,), usize, D> = Tensor::from_vec(chosen, (count,));
        self.chosen.set_value(&chosen, action)
    }
}

impl<E: Dtype, D: Backend<E>> SampleSite<E, D> for ChoiceSite<'_, E, D> {
    fn state(&self) -> &SiteState {
        self.chosen.state()
    }

    fn state_mut(&mut self) -> &mut SiteState {
        self.chosen.state_mut()
    }

    fn distribution(&self) -> &'static str {
        DiscreteParallel::NAME
    }

    fn has_rsample(&self) -> bool {
        false
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
        self.site.set_value(value, action)?;
        self.read(action)
    }

    fn set_numbers(&mut self, numbers: &[f64], action: &'static str) -> Result<(), Error> {
        self.site.set_numbers(numbers, action)?;
        self.read(action)
    }

    fn clear_value(&mut self) {
        self.site.clear_value();
        self.chosen.clear_value();
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
        self.chosen.draw(rng);
        let chosen = self.chosen.value().and_then(|value| value.as_any().downcast_ref::<Tensor<(usize,), usize, D>>());
        let numbers = chosen.map(|chosen| self.table.value(&self.support, &chosen.to_vec())).unwrap_or_default();
        // Numbers of the site's own list make a value of it; a site left without one is an error of its statement.
        let set = self.site.set_numbers(&numbers, "guide");
        debug_assert!(set.is_ok(), "{set:?}");
    }

    fn log_prob_sum(&self) -> Tensor<(), E, D> {
        self.chosen.log_prob_sum()
    }

    fn log_prob_elements(&self) -> Tensor<(usize,), E, D> {
        self.chosen.log_prob_elements()
    }

    fn entropy(&self) -> Option<Tensor<(), E, D>> {
        self.chosen.entropy()
    }

    fn family(&self) -> Option<Family<E, D>> {
        None
    }

    fn counted(&self) -> Option<Arc<[bool]>> {
        self.site.counted()
    }

    fn explain_non_finite(&self) -> Error {
        self.chosen.explain_non_finite()
    }

    fn enumerate_support(&self) -> Option<Vec<Box<dyn AnyValue>>> {
        self.site.enumerate_support()
    }
}

impl<E: Dtype, D: Backend<E>> HasBase<E, D> for ChoiceSite<'_, E, D> {
    fn base(&self, _: BaseForm) -> Option<BaseSite<E, D>> {
        None
    }

    fn flat(&self) -> Result<Flat<E, D>, Error> {
        self.site.flat()
    }

    fn set_flat(&mut self, numbers: &Flat<E, D>) -> Result<(), Error> {
        self.site.set_flat(numbers)?;
        self.read("numbers")
    }
}
