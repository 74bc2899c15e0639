//! The values that a discrete site can have.

use ppl_core::backend::Backend;
use ppl_core::site::SampleSite;
use ppl_core::values::AnyValue;
use ppl_core::{Dtype, Error};

/// The most combinations of values that a site with several elements may have.
const MOST_COMBINATIONS: usize = 100_000;

/// The values of a site.
pub(super) enum Values {
    /// All of them.
    All(Vec<Box<dyn AnyValue>>),
    /// Counts without a bound, from this one on.
    Counts(usize),
}

impl Values {
    /// The values of a latent site.
    ///
    /// # Errors
    /// If they cannot be listed, or are too many.
    pub(super) fn of<E: Dtype, D: Backend<E>>(site: &mut dyn SampleSite<E, D>) -> Result<Self, Error> {
        let Some(mut values) = site.enumerate_support() else { return counts(site) };
        match elements(site) {
            0 => values.truncate(1),
            1 => {}
            elements => values = combinations(site, &values, elements)?,
        }
        Ok(Values::All(values))
    }
}

/// How many elements a site has, each with a value of its own.
fn elements<E: Dtype, D: Backend<E>>(site: &dyn SampleSite<E, D>) -> usize {
    let dims = site.value_dims();
    let batch = dims.len().saturating_sub(site.support().event_axes());
    dims[..batch].iter().product()
}

fn combinations<E: Dtype, D: Backend<E>>(
    site: &mut dyn SampleSite<E, D>,
    values: &[Box<dyn AnyValue>],
    elements: usize,
) -> Result<Vec<Box<dyn AnyValue>>, Error> {
    let count = u32::try_from(elements).ok().and_then(|elements| values.len().checked_pow(elements));
    let Some(count) = count.filter(|&count| count <= MOST_COMBINATIONS) else {
        let problem = format!(
            "its {elements} elements have {} values each: more combinations than {MOST_COMBINATIONS}; sample them one by one",
            values.len()
        );
        return Err(wrong(site, problem));
    };
    let numbers: Option<Vec<Vec<f64>>> = values.iter().map(|value| value.to_f64s()).collect();
    let numbers = numbers.ok_or_else(|| wrong(site, "its values are not made of numbers".into()))?;
    let mut all = Vec::with_capacity(count);
    for combination in 0..count {
        let mut rest = combination;
        let mut joined = Vec::new();
        for element in 0..elements {
            let value = &numbers[rest % numbers.len()];
            rest /= numbers.len();
            let event = value.len() / elements;
            joined.extend_from_slice(&value[element * event..(element + 1) * event]);
        }
        site.set_numbers(&joined, "enumerate")?;
        all.extend(site.value().map(AnyValue::boxed));
    }
    Ok(all)
}

fn counts<E: Dtype, D: Backend<E>>(site: &dyn SampleSite<E, D>) -> Result<Values, Error> {
    let support = site.support();
    let first = [0, 1].into_iter().find(|&count| is_count(site, count));
    match first {
        Some(first) if support.is_discrete() && site.value_dims().is_empty() => Ok(Values::Counts(first)),
        _ => {
            let problem = format!(
                "the values of {} must be {}, of which there is no list; explore the executions of models whose latent sites are \
                 discrete, or sample this one by a kernel",
                site.distribution(),
                support.describe()
            );
            Err(wrong(site, problem))
        }
    }
}

/// Whether a count is one of a site's values.
pub(super) fn is_count<E: Dtype, D: Backend<E>>(site: &dyn SampleSite<E, D>, count: usize) -> bool {
    site.support().violation(&[E::of(count as f64)], &[]).is_none()
}

fn wrong<E: Dtype, D: Backend<E>>(site: &dyn SampleSite<E, D>, problem: String) -> Error {
    Error::Site { site: site.name().to_owned(), problem }
}
