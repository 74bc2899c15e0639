//! Runs in which enumerated sites have values by number, element by element.

use std::collections::HashMap;

use ppl_core::backend::Backend;
use ppl_core::handler::Handler;
use ppl_core::site::SampleSite;
use ppl_core::{Dtype, Error};

/// The number of the value of each element of each site.
pub(crate) type Choices = HashMap<String, Vec<usize>>;

/// Gives sites the values of these numbers, element by element.
pub(crate) struct Choose<'h, E: Dtype, D: Backend<E>> {
    inner: &'h mut dyn Handler<E, D>,
    values: &'h Choices,
}

impl<'h, E: Dtype, D: Backend<E>> Choose<'h, E, D> {
    pub(crate) fn new(inner: &'h mut dyn Handler<E, D>, values: &'h Choices) -> Self {
        Choose { inner, values }
    }
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for Choose<'_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
        if let Some(chosen) = self.values.get(site.name()).filter(|_| !site.has_value()) {
            let set = choose(site, chosen);
            self.inner.context().check(set);
        }
        self.inner.sample(site);
    }
}

fn choose<E: Dtype, D: Backend<E>>(site: &mut dyn SampleSite<E, D>, chosen: &[usize]) -> Result<(), Error> {
    let values = site.enumerate_support().unwrap_or_default();
    let numbers: Option<Vec<Vec<f64>>> = values.iter().map(|value| value.to_f64s()).collect();
    let wrong = |problem: &str| Error::Site { site: site.name().to_owned(), problem: problem.into() };
    let numbers =
        numbers.filter(|numbers| !numbers.is_empty()).ok_or_else(|| wrong("its values are not made of numbers"))?;
    let event = numbers[0].len().checked_div(chosen.len()).unwrap_or(0);
    let mut all = Vec::with_capacity(numbers[0].len());
    for (element, &value) in chosen.iter().enumerate() {
        let value = numbers.get(value).ok_or_else(|| wrong("it has fewer values than when it was enumerated"))?;
        all.extend_from_slice(&value[element * event..(element + 1) * event]);
    }
    site.set_numbers(&all, "infer discrete")
}
