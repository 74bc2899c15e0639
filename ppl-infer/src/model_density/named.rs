//! A model's density as a target of chains: what a draw holds, where a chain can begin, and why a position will
//! not do.

use ppl_core::autodiff::no_grad;
use ppl_core::backend::Backend;
use ppl_core::handler::Handler;
use ppl_core::model::Model;
use ppl_core::rng::Rng;
use ppl_core::site::{SampleSite, SiteKind};
use ppl_core::{Dtype, Error};

use crate::density::LogDensity;
use crate::draws::{Role, Variable, layout};
use crate::enumeration::Choose;
use crate::target::{Explanation, InitStrategy, Target, Term};

use super::ModelDensity;
use super::handler::{Put, wrong};
use super::start::Start;

impl<A, M, E, D> Target<E> for ModelDensity<M, A, E, D>
where
    A: Clone,
    M: Model<A, E = E, D = D>,
    E: Dtype,
    D: Backend<E>,
{
    /// The latent sites and the deterministic ones, in the order of the model; those whose values are no numbers
    /// are left out.
    fn variables(&mut self) -> Result<Vec<Variable>, Error> {
        let zeros = vec![E::of(0.0); self.dim()];
        self.run(|inner, sites, body| {
            let mut put = Put::new(inner, sites, &zeros);
            let mut list = List { inner: &mut put, found: Vec::new() };
            no_grad(|| body(&mut list));
            Ok(layout(list.found))
        })
    }

    fn values(&mut self, position: &[E], values: &mut Vec<f64>) -> Result<(), Error> {
        let variables = match self.variables.take() {
            Some(variables) => variables,
            None => self.variables()?,
        };
        let start = values.len();
        values.resize(start + variables.last().map_or(0, |last| last.range.end), f64::NAN);
        let chosen = self.chosen(position)?;
        let written = self.run(|inner, sites, body| {
            let mut choose = Choose::new(inner, &chosen);
            let mut put = Put::silent(&mut choose, sites, position);
            let mut write = Write { inner: &mut put, variables: &variables, next: 0, row: &mut values[start..] };
            no_grad(|| body(&mut write));
            put.check_complete()
        });
        self.variables = Some(variables);
        written
    }

    /// # Errors
    /// The first error of a run; values for a site that the model has not, or that do not fit it.
    fn candidate(&mut self, strategy: &InitStrategy, rng: &mut Rng) -> Result<Option<Vec<E>>, Error> {
        if let InitStrategy::Values(values) = strategy {
            let unknown = values.names().find(|name| !self.sites.iter().any(|site| site.name == **name));
            if let Some(name) = unknown {
                let latent: Vec<String> = self.sites.iter().map(|site| format!("`{}`", site.name)).collect();
                let problem = "an initial value was given, but the model has no such latent site";
                return Err(wrong(name.to_owned(), &format!("{problem}; there are {}", latent.join(", "))));
            }
        }
        let position = self.run(|inner, _, body| {
            let mut start = Start::new(inner, strategy, rng);
            no_grad(|| body(&mut start));
            Ok(start.position)
        })?;
        Ok(Some(position))
    }

    fn explain(&mut self, position: &[E]) -> Result<Explanation, Error> {
        let mut gradient = vec![E::of(0.0); position.len()];
        self.evaluate(position, &mut gradient)?;
        let mut terms = self.run(|inner, sites, body| {
            let mut explain = Explain { put: Put::new(inner, sites, position), terms: Vec::new() };
            no_grad(|| body(&mut explain));
            Ok(explain.terms)
        })?;
        for site in &self.sites {
            if let Some(term) = terms.iter_mut().find(|term| term.name == site.name) {
                term.gradient = gradient[site.range.clone()].iter().map(|g| g.wide()).collect();
            }
        }
        Ok(Explanation { terms })
    }
}

/// What a site is in a draw; nothing if it has no place there.
fn role<E: Dtype, D: Backend<E>>(site: &dyn SampleSite<E, D>) -> Option<Role> {
    match site.state().kind {
        SiteKind::Deterministic => Some(Role::Deterministic),
        SiteKind::Sample | SiteKind::Auxiliary => (!site.is_observed()).then_some(Role::Latent),
        SiteKind::Factor | SiteKind::Intervened => None,
    }
}

/// Lists the sites that a draw holds.
pub(crate) struct List<'h, E: Dtype, D: Backend<E>> {
    pub(crate) inner: &'h mut dyn Handler<E, D>,
    pub(crate) found: Vec<(String, Vec<usize>, Role)>,
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for List<'_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
        self.inner.sample(site);
        let (role, value) = (role(site), site.value());
        if let (Some(role), Some(value)) = (role, value)
            && value.to_f64s().is_some()
        {
            self.found.push((site.name().to_owned(), value.dims(), role));
        }
    }
}

/// Writes the values of the sites that a draw holds; those that a run does not have stay as they were.
pub(crate) struct Write<'h, E: Dtype, D: Backend<E>> {
    pub(crate) inner: &'h mut dyn Handler<E, D>,
    pub(crate) variables: &'h [Variable],
    /// The variable that is met next if the order is the same as before.
    pub(crate) next: usize,
    pub(crate) row: &'h mut [f64],
}

impl<E: Dtype, D: Backend<E>> Write<'_, E, D> {
    fn write(&mut self, site: &dyn SampleSite<E, D>) -> Result<(), Error> {
        let Some(value) = site.value().filter(|_| role(site).is_some()) else { return Ok(()) };
        let Some(numbers) = value.to_f64s() else { return Ok(()) };
        let name = site.name();
        let expected = self.variables.get(self.next).filter(|v| v.name == name).map(|_| self.next);
        let Some(at) = expected.or_else(|| self.variables.iter().position(|v| v.name == name)) else {
            return Err(wrong(
                name.to_owned(),
                "this run has it, but an earlier one had not, so that draws have no place for it",
            ));
        };
        self.next = at + 1;
        let variable = &self.variables[at];
        if value.dims() != variable.dims {
            let problem = format!("it has sizes {:?} in this run, but had {:?} before", value.dims(), variable.dims);
            return Err(wrong(name.to_owned(), &problem));
        }
        self.row[variable.range.clone()].copy_from_slice(&numbers);
        Ok(())
    }
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for Write<'_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
        self.inner.sample(site);
        let written = self.write(site);
        self.inner.context().check(written);
    }
}

/// Keeps what each site adds to the log-density.
struct Explain<'h, E: Dtype, D: Backend<E>> {
    put: Put<'h, E, D>,
    terms: Vec<Term>,
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for Explain<'_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        &mut self.put
    }

    fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
        let before = self.put.terms.len();
        self.put.sample(site);
        if site.state().is_scored() {
            let data = if site.is_observed() { ", observed" } else { "" };
            let value = site.value().and_then(|value| value.to_f64s());
            self.terms.push(Term {
                name: site.name().to_owned(),
                what: format!("{}{data}", site.distribution()),
                value: value.map_or_else(|| "-".to_owned(), |numbers| Explanation::shown(&numbers)),
                log_density: self.put.terms[before..].iter().map(|term| term.item().wide()).sum(),
                gradient: Vec::new(),
            });
        }
    }
}
