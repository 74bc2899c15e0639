//! The joint density of a model as runs: every latent site keeps its value, or is given another.

use std::ops::Range;

use ppl_core::autodiff::no_grad;
use ppl_core::backend::Backend;
use ppl_core::handler::Handler;
use ppl_core::handlers::{Params, Prior};
use ppl_core::model::Model;
use ppl_core::params::ParamStore;
use ppl_core::rng::Rng;
use ppl_core::site::SampleSite;
use ppl_core::transform::Flat;
use ppl_core::values::AnyValue;
use ppl_core::{Dtype, Error, Tensor};

use crate::draws::Variable;
use crate::model_density::handler::{is_latent, wrong};
use crate::model_density::named::Write;

use super::latent::{Latent, changed};

/// Runs a model under a handler.
pub(super) type Body<'b, E, D> = &'b dyn Fn(&mut dyn Handler<E, D>);

/// A model with its arguments and parameters, whatever their types.
pub(super) trait Runs<E: Dtype, D: Backend<E>> {
    /// One run, under what `around` puts around the innermost handlers. Draws come from `rng`.
    ///
    /// # Errors
    /// The first error of the run, or that of `around`.
    fn run(
        &mut self,
        rng: &mut Rng,
        around: &mut dyn FnMut(&mut dyn Handler<E, D>, Body<'_, E, D>) -> Result<(), Error>,
    ) -> Result<(), Error>;
}

/// A model with its arguments and parameters.
#[derive(Clone, Debug)]
pub(super) struct Program<M, A, E: Dtype, D: Backend<E>> {
    pub(super) model: M,
    pub(super) args: A,
    pub(super) params: ParamStore<E, D>,
}

impl<A, M, E, D> Runs<E, D> for Program<M, A, E, D>
where
    A: Clone,
    M: Model<A, E = E, D = D>,
    E: Dtype,
    D: Backend<E>,
{
    fn run(
        &mut self,
        rng: &mut Rng,
        around: &mut dyn FnMut(&mut dyn Handler<E, D>, Body<'_, E, D>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut prior = Prior::new(rng.clone());
        // A parameter out of its range is a state without density, and no error.
        Handler::<E, D>::context(&mut prior).validate = false;
        let mut params = Params::new(&mut self.params, &mut prior);
        let (model, args) = (&self.model, &self.args);
        let result = around(&mut params, &|handler| {
            model.run(handler, args.clone());
        });
        // What went wrong first names the cause.
        let error = params.context().take_error();
        *rng = prior.into_context().rng;
        error.map_or(result, Err)
    }
}

/// Where a latent site's value comes from in a run.
#[derive(Clone, Debug)]
pub(super) enum Source<'s> {
    /// It is the present one.
    Held,
    /// It has these numbers.
    Numbers(&'s [f64]),
    /// It is the image of these of the run's unconstrained numbers.
    Image(Range<usize>),
    /// It is the first one that its distribution can have, everywhere.
    First,
    /// It is drawn from its distribution.
    Drawn,
}

/// What hears of each site after it has its value: the site, its number if it is latent, and the log-Jacobian of an
/// image.
pub(super) type Seen<'s, E, D> =
    dyn FnMut(&mut dyn SampleSite<E, D>, Option<usize>, Option<Tensor<(), E, D>>) -> Result<(), Error> + 's;

/// The present values of all latent sites.
#[derive(Clone, Debug)]
pub(super) struct Values {
    values: Vec<Box<dyn AnyValue>>,
    /// How often they moved: what was computed from them is stale when this has changed.
    pub(super) moves: u64,
}

impl Values {
    pub(super) fn new(values: Vec<Box<dyn AnyValue>>) -> Self {
        Values { values, moves: 0 }
    }

    pub(super) fn set(&mut self, changed: Vec<(usize, Box<dyn AnyValue>)>) {
        for (at, value) in changed {
            self.values[at] = value;
        }
        self.moves += 1;
    }

    pub(super) fn get(&self, at: usize) -> &dyn AnyValue {
        &*self.values[at]
    }
}

/// A model with the present values of its latent sites.
pub(super) struct Joint<'r, E: Dtype, D: Backend<E>> {
    pub(super) runs: &'r mut dyn Runs<E, D>,
    pub(super) latents: &'r [Latent],
    pub(super) values: &'r mut Values,
}

impl<E: Dtype, D: Backend<E>> Joint<'_, E, D> {
    /// Sources that leave everything as it is.
    pub(super) fn held<'s>(&self) -> Vec<Source<'s>> {
        vec![Source::Held; self.latents.len()]
    }

    /// The numbers of a latent site's present value.
    ///
    /// # Errors
    /// If it is not made of numbers.
    pub(super) fn numbers(&self, at: usize) -> Result<Vec<f64>, Error> {
        let problem = "its values are not made of numbers";
        self.values.get(at).to_f64s().ok_or_else(|| wrong(self.latents[at].name.clone(), problem))
    }

    /// A run in which latent sites have values from these sources.
    ///
    /// # Errors
    /// The first error of the run, of `seen`, or a site that came or went.
    pub(super) fn run(
        &mut self,
        rng: &mut Rng,
        sources: &[Source<'_>],
        free: Option<&Flat<E, D>>,
        seen: &mut Seen<'_, E, D>,
    ) -> Result<(), Error> {
        let (latents, values) = (self.latents, &*self.values);
        self.runs.run(rng, &mut |inner, body| {
            let mut assign =
                Assign { inner, latents, values, sources, free, seen, met: vec![false; latents.len()], next: 0 };
            body(&mut assign);
            assign.check_complete()
        })
    }

    /// The log-density of all values together, and the typed values of some sites, where some sites have other
    /// values.
    ///
    /// # Errors
    /// As [`Joint::run`].
    pub(super) fn score(&mut self, sources: &[Source<'_>]) -> Result<(f64, Vec<(usize, Box<dyn AnyValue>)>), Error> {
        let (mut log_density, mut typed) = (0.0, Vec::new());
        no_grad(|| {
            self.run(&mut Rng::seed(0), sources, None, &mut |site, place, _| {
                log_density += scored(site);
                typed.extend(changed_value(site, place, sources));
                Ok(())
            })
        })?;
        Ok((log_density, typed))
    }

    /// Writes the numbers of the variables that a draw holds; the log-density there.
    ///
    /// # Errors
    /// As [`Joint::run`], and a deterministic site that came, went or has changed its size.
    pub(super) fn write(
        &mut self,
        variables: &[Variable],
        sources: &[Source<'_>],
        free: Option<&Flat<E, D>>,
        row: &mut [f64],
    ) -> Result<f64, Error> {
        let (latents, values, mut log_density) = (self.latents, &*self.values, 0.0);
        self.runs.run(&mut Rng::seed(0), &mut |inner, body| {
            let seen: &mut Seen<'_, E, D> = &mut |site, _, _| {
                log_density += scored(site);
                Ok(())
            };
            let met = vec![false; latents.len()];
            let mut assign = Assign { inner, latents, values, sources, free, seen, met, next: 0 };
            let mut write = Write { inner: &mut assign, variables, next: 0, row };
            no_grad(|| body(&mut write));
            assign.check_complete()
        })?;
        Ok(log_density)
    }
}

/// What a site adds to the log-density.
fn scored<E: Dtype, D: Backend<E>>(site: &dyn SampleSite<E, D>) -> f64 {
    if site.state().is_scored() { site.log_prob_sum().item().wide() } else { 0.0 }
}

/// The value of a latent site, where it is not the one that is held.
pub(super) fn changed_value<E: Dtype, D: Backend<E>>(
    site: &dyn SampleSite<E, D>,
    place: Option<usize>,
    sources: &[Source<'_>],
) -> Option<(usize, Box<dyn AnyValue>)> {
    let place = place.filter(|&place| !matches!(sources[place], Source::Held))?;
    Some((place, site.value()?.detached()))
}

/// Gives latent sites their values.
struct Assign<'h, 's, E: Dtype, D: Backend<E>> {
    inner: &'h mut dyn Handler<E, D>,
    latents: &'h [Latent],
    values: &'h Values,
    sources: &'h [Source<'h>],
    free: Option<&'h Flat<E, D>>,
    seen: &'h mut Seen<'s, E, D>,
    /// Which sites have been met, and the one that is met next if the order is the same as before.
    met: Vec<bool>,
    next: usize,
}

impl<E: Dtype, D: Backend<E>> Assign<'_, '_, E, D> {
    /// # Errors
    /// If the run left out a site: its value would be a stale one.
    fn check_complete(&self) -> Result<(), Error> {
        match self.met.iter().position(|met| !met) {
            Some(missed) => {
                Err(changed(&self.latents[missed].name, "this run did not sample it, but an earlier one did"))
            }
            None => Ok(()),
        }
    }

    fn place(&mut self, name: &str) -> Result<usize, Error> {
        let expected = self.latents.get(self.next).filter(|latent| latent.name == name).map(|_| self.next);
        let found = expected.or_else(|| self.latents.iter().position(|latent| latent.name == name));
        let place = found.ok_or_else(|| changed(name, "this run samples it, but an earlier one did not"))?;
        self.next = place + 1;
        if std::mem::replace(&mut self.met[place], true) {
            return Err(Error::DuplicateSite(name.to_owned()));
        }
        Ok(place)
    }

    /// Gives a latent site its value; its place, and the log-Jacobian of an image.
    fn assign(&mut self, site: &mut dyn SampleSite<E, D>) -> Result<(usize, Option<Tensor<(), E, D>>), Error> {
        let place = self.place(site.name())?;
        match &self.sources[place] {
            Source::Held => site.set_value(self.values.get(place), "Gibbs")?,
            Source::Numbers(numbers) => site.set_numbers(numbers, "Gibbs")?,
            Source::Drawn => {}
            Source::First => {
                let first = site.enumerate_support().and_then(|values| values.into_iter().next());
                let problem = "it has no longer finitely many values, equal for all elements; it cannot be enumerated";
                let first = first.ok_or_else(|| wrong(site.name().to_owned(), problem))?;
                site.set_value(&*first, "Gibbs")?;
            }
            Source::Image(range) => {
                let numbers = self.free.map(|free| free.slice(std::slice::from_ref(range)));
                let numbers =
                    numbers.ok_or_else(|| wrong(site.name().to_owned(), "it has no unconstrained numbers"))?;
                return Ok((place, site.set_unconstrained(&numbers)?));
            }
        }
        Ok((place, None))
    }
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for Assign<'_, '_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
        let assigned = if is_latent(site) { self.assign(site).map(Some) } else { Ok(None) };
        self.inner.sample(site);
        let seen = assigned.and_then(|assigned| {
            let (place, log_det) = assigned.map_or((None, None), |(place, log_det)| (Some(place), log_det));
            (self.seen)(site, place, log_det)
        });
        self.inner.context().check(seen);
    }
}
