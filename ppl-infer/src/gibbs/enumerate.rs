//! Exact draws of discrete sites from their conditional, by running the model with each of their values.

use ppl_core::backend::Backend;
use ppl_core::rng::Rng;
use ppl_core::values::AnyValue;
use ppl_core::{Dtype, Error};
use rand::Rng as _;

use super::error::GibbsError;
use super::joint::{Joint, Source};
use super::latent::Latent;
use super::rule::Enumerate;
use super::terms::{Question, Terms};

/// Sites of the same plates that are drawn jointly, element by element of their plates.
#[derive(Clone, Debug)]
pub(super) struct Unit {
    /// In the order of the model.
    sites: Vec<usize>,
    /// Whether elements were found to depend on one another, so that they are drawn one after another.
    pub(super) coupled: bool,
}

/// Which elements are drawn at once.
#[derive(Clone, Copy, Debug)]
enum Cells {
    /// This one of the distribution's elements in each element of the plates.
    Column(usize),
    /// This one in this element of the plates.
    One(usize, usize),
}

/// The sites of a block as units: all together if there are few combinations of their values, else one by one.
pub(super) fn units(latents: &[Latent], sites: &[usize], rule: Enumerate) -> Vec<Unit> {
    let of = |site: usize| &latents[site];
    let combinations = sites.iter().try_fold(1_usize, |all, &site| all.checked_mul(of(site).support?));
    let first = sites.first().map(|&site| of(site));
    let alike = |site: &usize| first.is_some_and(|first| of(*site).plates == first.plates) && of(*site).width() == 1;
    let unit = |sites: &[usize]| Unit { sites: sites.to_vec(), coupled: false };
    match combinations {
        Some(all) if all <= rule.most_combinations && sites.iter().all(alike) => vec![unit(sites)],
        _ => sites.iter().map(|&site| unit(&[site])).collect(),
    }
}

/// The index of each site's value in a combination, the first site's changing fastest.
fn indices(sizes: &[usize], combination: usize) -> Vec<usize> {
    let mut rest = combination;
    let index = |&size: &usize| {
        let index = rest % size;
        rest /= size;
        index
    };
    sizes.iter().map(index).collect()
}

/// What is known of a unit in a step.
struct Choices<'c> {
    sites: &'c [usize],
    latents: &'c [Latent],
    /// Of each site, its possible values.
    supports: Vec<Vec<Vec<f64>>>,
    /// How many values each site has.
    sizes: Vec<usize>,
}

impl Choices<'_> {
    fn latent(&self) -> &Latent {
        &self.latents[self.sites[0]]
    }

    /// The value of a cell in a combination, written over that in `numbers`.
    fn put(&self, site: usize, numbers: &mut [f64], (element, column): (usize, usize), combination: usize) {
        let latent = &self.latents[self.sites[site]];
        let start = element * latent.row() + column * latent.event;
        let cell = start..start + latent.event;
        let index = indices(&self.sizes, combination)[site];
        numbers[cell.clone()].copy_from_slice(&self.supports[site][index][cell]);
    }

    /// All sites' numbers where these cells have the values of a combination each.
    fn numbers(&self, base: &[Vec<f64>], cells: Cells, combination: impl Fn(usize) -> usize) -> Vec<Vec<f64>> {
        let mut all = base.to_vec();
        for (site, numbers) in all.iter_mut().enumerate() {
            match cells {
                Cells::One(element, column) => self.put(site, numbers, (element, column), combination(0)),
                Cells::Column(column) => (0..self.latent().elements)
                    .for_each(|element| self.put(site, numbers, (element, column), combination(element))),
            }
        }
        all
    }

    /// A combination in words, for errors.
    fn shown(&self, combination: usize) -> String {
        let values = indices(&self.sizes, combination).into_iter().zip(&self.supports);
        let first =
            |(index, support): (usize, &Vec<Vec<f64>>)| support[index].first().map_or(String::new(), f64::to_string);
        values.map(first).collect::<Vec<_>>().join(", ")
    }
}

/// What drawing some cells came to.
enum Drawn {
    /// The sites' new values.
    Moved(Vec<(usize, Box<dyn AnyValue>)>),
    /// The elements depend on one another.
    Coupled,
}

impl Unit {
    pub(super) fn sites(&self) -> &[usize] {
        &self.sites
    }

    /// Draws all its sites' elements.
    ///
    /// # Errors
    /// Those of the runs; if no value is possible.
    pub(super) fn step<E: Dtype, D: Backend<E>>(
        &mut self,
        joint: &mut Joint<'_, E, D>,
        rng: &mut Rng,
    ) -> Result<(), GibbsError> {
        let latents = joint.latents;
        let latent = &latents[self.sites[0]];
        let (elements, width) = (latent.elements, latent.width());
        if elements * width == 0 {
            return Ok(());
        }
        let first = self.first(joint)?;
        let supports = first.supports.clone();
        let sites = self.sites.clone();
        let choices = Choices { sites: &sites, latents, sizes: supports.iter().map(Vec::len).collect(), supports };
        // The first run had every element at its first value: where no other elements stay, it is one of those asked for.
        let mut known = (width == 1 && (elements == 1 || !self.coupled)).then_some(first);
        for column in 0..width {
            if !self.coupled {
                match choices.draw(joint, Cells::Column(column), known.take(), rng)? {
                    Drawn::Moved(values) => joint.values.set(values),
                    Drawn::Coupled => self.coupled = true,
                }
            }
            for element in 0..if self.coupled { elements } else { 0 } {
                if let Drawn::Moved(values) = choices.draw(joint, Cells::One(element, column), None, rng)? {
                    joint.values.set(values);
                }
            }
        }
        Ok(())
    }

    /// The run with the first value of each site, and all values that there are.
    fn first<E: Dtype, D: Backend<E>>(&self, joint: &mut Joint<'_, E, D>) -> Result<Terms, Error> {
        let mut sources = joint.held();
        self.sites.iter().for_each(|&site| sources[site] = Source::First);
        let question = Question { supports: &self.sites, own: None };
        Terms::of(joint, self.sites[0], &sources, question, &mut Rng::seed(0))
    }
}

impl Choices<'_> {
    fn run<E: Dtype, D: Backend<E>>(&self, joint: &mut Joint<'_, E, D>, numbers: &[Vec<f64>]) -> Result<Terms, Error> {
        let mut sources = joint.held();
        self.sites.iter().zip(numbers).for_each(|(&site, numbers)| sources[site] = Source::Numbers(numbers));
        Terms::of(joint, self.sites[0], &sources, Question::default(), &mut Rng::seed(0))
    }

    /// Draws some cells; `first` is the run with their first values, where it was made.
    fn draw<E: Dtype, D: Backend<E>>(
        &self,
        joint: &mut Joint<'_, E, D>,
        cells: Cells,
        mut first: Option<Terms>,
        rng: &mut Rng,
    ) -> Result<Drawn, GibbsError> {
        let base: Vec<Vec<f64>> = self.sites.iter().map(|&site| joint.numbers(site)).collect::<Result<_, Error>>()?;
        let runs = (0..self.sizes.iter().product()).map(|combination| match first.take() {
            Some(first) if combination == 0 => Ok(first),
            _ => self.run(joint, &self.numbers(&base, cells, |_| combination)),
        });
        let mut runs = runs.collect::<Result<Vec<Terms>, Error>>()?;
        let (element, column) = match cells {
            Cells::Column(column) if self.latent().elements > 1 => {
                return self.draw_each(joint, column, &base, &runs, rng);
            }
            Cells::Column(column) => (0, column),
            Cells::One(element, column) => (element, column),
        };
        let weights: Vec<f64> = runs.iter().map(Terms::total).collect();
        let chosen = self.chosen(&weights, (element, column), rng)?;
        Ok(Drawn::Moved(runs.swap_remove(chosen).typed))
    }

    /// Draws a cell of each element of the plates; tells if the elements turn out to depend on one another.
    fn draw_each<E: Dtype, D: Backend<E>>(
        &self,
        joint: &mut Joint<'_, E, D>,
        column: usize,
        base: &[Vec<f64>],
        runs: &[Terms],
        rng: &mut Rng,
    ) -> Result<Drawn, GibbsError> {
        if !runs.iter().all(|run| run.same_outside(&runs[0])) {
            return Ok(Drawn::Coupled);
        }
        let draw = |element: usize| {
            let weights: Vec<f64> = runs.iter().map(|run| run.each[element]).collect();
            self.chosen(&weights, (element, column), rng)
        };
        let chosen = match (0..self.latent().elements).map(draw).collect::<Result<Vec<usize>, GibbsError>>() {
            // The present values are possible: if none is, the others in the runs made it so.
            Err(GibbsError::Impossible { .. }) => return Ok(Drawn::Coupled),
            chosen => chosen?,
        };
        // Each element was judged while the others were all alike. With the values as they are now nothing may differ.
        let mixed = self.run(joint, &self.numbers(base, Cells::Column(column), |element| chosen[element]))?;
        let predicted: Vec<f64> = chosen.iter().enumerate().map(|(element, &run)| runs[run].each[element]).collect();
        let as_predicted = mixed.same_outside(&runs[0]) && mixed.are::<E>(&predicted);
        Ok(if as_predicted { Drawn::Moved(mixed.typed) } else { Drawn::Coupled })
    }

    /// A combination for a cell, drawn by the logarithms of the weights.
    fn chosen(&self, weights: &[f64], (element, column): (usize, usize), rng: &mut Rng) -> Result<usize, GibbsError> {
        let names = || self.sites.iter().map(|&site| self.latents[site].name.as_str()).collect::<Vec<_>>().join("`, `");
        if let Some(at) = weights.iter().position(|weight| weight.is_nan() || *weight == f64::INFINITY) {
            return Err(GibbsError::NotANumber { site: names(), value: self.shown(at), log_density: weights[at] });
        }
        let width = self.latent().width();
        let element = (self.latent().elements * width > 1).then_some(element * width + column);
        draw_index(weights, rng).ok_or_else(|| GibbsError::Impossible { site: names(), element })
    }
}

/// An index with probability proportional to the exponential of its weight; `None` if all weights are −∞.
fn draw_index(weights: &[f64], rng: &mut Rng) -> Option<usize> {
    let greatest = weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if greatest == f64::NEG_INFINITY {
        return None;
    }
    let relative = || weights.iter().map(|weight| (weight - greatest).exp());
    let mut left = rng.gen_range(0.0..1.0) * relative().sum::<f64>();
    let mut last = None;
    for (index, weight) in relative().enumerate().filter(|(_, weight)| *weight > 0.0) {
        last = Some(index);
        if left < weight {
            break;
        }
        left -= weight;
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_are_drawn_by_their_weights_and_the_impossible_never() {
        let mut rng = Rng::seed(7);
        let weights = [f64::NEG_INFINITY, 0.3_f64.ln() + 700.0, 0.7_f64.ln() + 700.0, f64::NEG_INFINITY];
        let mut counts = [0; 4];
        (0..10_000).for_each(|_| counts[draw_index(&weights, &mut rng).unwrap()] += 1);
        assert_eq!((counts[0], counts[3]), (0, 0));
        // Standard deviation 46: six of them are 275, false alarm 2e-9.
        assert!((counts[1] - 3000_i32).abs() < 275, "{counts:?}");
        assert_eq!(draw_index(&[f64::NEG_INFINITY; 2], &mut rng), None);
    }

    #[test]
    fn combinations_are_all_pairs() {
        let all: Vec<Vec<usize>> = (0..6).map(|combination| indices(&[2, 3], combination)).collect();
        assert_eq!(all, [[0, 0], [1, 0], [0, 1], [1, 1], [0, 2], [1, 2]]);
    }
}
