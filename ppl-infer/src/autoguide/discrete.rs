//! Guides over discrete sites of finite support: independent elements, each with a probability for each of its values.

use ppl_core::address::Address;
use ppl_core::backend::Backend;
use ppl_core::constraint::Simplex;
use ppl_core::handler::Handler;
use ppl_core::params::ParamStore;
use ppl_core::primitives::param_constrained;
use ppl_core::site::SampleSite;
use ppl_core::{Dtype, Error, Tensor};

use crate::gibbs::latent::Latent;

use super::Named;
use super::delta::name_of;
use super::family::values;

// A model's site with probabilities of the guide's.
mod choice;

pub(super) use choice::ChoiceSite;

/// The probabilities of each element's values, by site.
const PROBS: &str = "auto_probs";

/// Independent distributions of the elements of discrete sites, each of which is one of finitely many values: parameters
/// `auto_probs.SITE`, one row for each element, with the probabilities of its values in the order of
/// [`enumerate_support`](ppl_core::distribution::Distribution::enumerate_support); at first all values are as likely.
///
/// Draws have no pathwise gradients: [`TraceGraphElbo`](crate::TraceGraphElbo) scores each element of a plate by the
/// terms that it can change. A value that the model cannot have at all makes the bound −∞, which is an error of the step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiscreteParallel;

impl Named for DiscreteParallel {
    const NAME: &'static str = "AutoDiscreteParallel";
}

/// The probabilities of the elements of a site: a row for each.
pub(super) type Probs<E, D> = Tensor<(usize, usize), E, D>;

/// What a table of probabilities is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) site: String,
    /// How many elements the site has, each with probabilities of its own.
    pub(super) elements: usize,
    /// How many values each has.
    pub(super) choices: usize,
    /// How many numbers an element has.
    pub(super) event: usize,
}

impl Table {
    /// # Errors
    /// If the site has no list of values, or values that are not numbers.
    pub(super) fn of(latent: &Latent) -> Result<Self, Error> {
        let wrong = |problem: String| Error::Site { site: latent.name.clone(), problem };
        let (distribution, name) = (latent.distribution, DiscreteParallel::NAME);
        let Some(choices) = latent.support else {
            return Err(wrong(format!(
                "its distribution, {distribution}, lists no values, which `{name}` needs: there are infinitely many, or they \
                 differ from element to element, or `to_event` makes one value of several; bound them, leave out \
                 `to_event`, or write its part by hand (`AutoCallable`)"
            )));
        };
        if latent.numbers.is_none() {
            return Err(wrong(format!("values of {distribution} are not made of numbers, which `{name}` needs")));
        }
        let elements = latent.elements * latent.width();
        Ok(Table { site: latent.name.clone(), elements, choices, event: latent.event })
    }

    fn param(&self) -> Address {
        name_of(PROBS, &self.site)
    }

    /// Asks for the probabilities.
    pub(super) fn probs<E: Dtype, D: Backend<E>>(&self, handler: &mut dyn Handler<E, D>) -> Probs<E, D> {
        let first = |_: &mut _| Tensor::full_like(E::of(1.0 / self.choices as f64), (self.elements, self.choices));
        param_constrained(handler, self.param(), first, Simplex)
    }

    /// The probabilities in a store: a row for each element.
    pub(super) fn rows<E: Dtype, D: Backend<E>>(&self, params: &ParamStore<E, D>) -> Vec<Vec<f64>> {
        let first = vec![E::of(1.0 / self.choices as f64); self.elements * self.choices];
        let rows = values(params, self.param().as_str(), &first);
        rows.chunks(self.choices.max(1)).map(<[f64]>::to_vec).collect()
    }

    /// The values of a site as it is in this run: the numbers of each.
    ///
    /// # Errors
    /// If there are other elements or values than when the guide was made.
    pub(super) fn support<E: Dtype, D: Backend<E>>(&self, site: &dyn SampleSite<E, D>) -> Result<Vec<Vec<f64>>, Error> {
        let values = site.enumerate_support().unwrap_or_default();
        let numbers: Vec<Vec<f64>> = values.iter().filter_map(|value| value.to_f64s()).collect();
        let expected = self.elements * self.event;
        if numbers.len() == self.choices && numbers.iter().all(|numbers| numbers.len() == expected) {
            return Ok(numbers);
        }
        let (found, sizes) = (numbers.len(), site.value_dims());
        let problem = format!(
            "it has sizes {sizes:?} and {found} values in this run, but {} elements of {} values when the guide was \
             made; `{}` needs sites of constant size",
            self.elements,
            self.choices,
            DiscreteParallel::NAME
        );
        Err(Error::Site { site: self.site.clone(), problem })
    }

    /// The numbers of a value whose elements are these of the list.
    pub(super) fn value(&self, support: &[Vec<f64>], chosen: &[usize]) -> Vec<f64> {
        let element = |(at, &choice): (usize, &usize)| &support[choice][at * self.event..(at + 1) * self.event];
        chosen.iter().enumerate().flat_map(element).copied().collect()
    }

    /// Which of the list each element of a value is; `None` if one is not on it.
    fn chosen(&self, support: &[Vec<f64>], value: &[f64]) -> Option<Vec<usize>> {
        let choice = |at: usize| {
            let cell = at * self.event..(at + 1) * self.event;
            support.iter().position(|listed| listed[cell.clone()] == value[cell.clone()])
        };
        (value.len() == self.elements * self.event).then(|| (0..self.elements).map(choice).collect())?
    }
}

/// The likeliest value of each element, the first of several.
pub(super) fn modes(rows: &[Vec<f64>]) -> Vec<usize> {
    let mode = |row: &Vec<f64>| (0..row.len()).rev().max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or(0);
    rows.iter().map(mode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_made_of_the_list_element_by_element() {
        // Two elements, each one of three values, which are pairs of numbers.
        let table = Table { site: "z".into(), elements: 2, choices: 3, event: 2 };
        let support: Vec<Vec<f64>> = vec![vec![0.0, 1.0, 0.0, 1.0], vec![2.0; 4], vec![3.0, 4.0, 3.0, 4.0]];
        let value = table.value(&support, &[2, 0]);
        assert_eq!(value, [3.0, 4.0, 0.0, 1.0]);
        assert_eq!(table.chosen(&support, &value), Some(vec![2, 0]));
        assert_eq!(table.chosen(&support, &[3.0, 4.0, 0.5, 1.0]), None);
        assert_eq!(table.chosen(&support, &[3.0, 4.0]), None);
        assert_eq!(modes(&[vec![0.2, 0.4, 0.4], vec![0.5, 0.1, 0.4]]), [1, 0]);
    }
}
