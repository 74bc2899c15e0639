//! The bridge from a model with data to a vector: its log-density over unconstrained numbers, with gradient.

use std::ops::Range;
use std::sync::Arc;

use ppl_core::autodiff::{no_grad, try_grad};
use ppl_core::backend::Backend;
use ppl_core::handler::Handler;
use ppl_core::handlers::{Params, Prior, Tracer};
use ppl_core::model::{IntoArgs, Model};
use ppl_core::params::ParamStore;
use ppl_core::plate::Rows;
use ppl_core::rng::Rng;
use ppl_core::trace::{Trace, total};
use ppl_core::transform::Flat;
use ppl_core::values::IntoValueMap;
use ppl_core::{Dtype, Error, Tensor};

use crate::density::LogDensity;
use crate::draws::Variable;
use crate::enumeration::Choose;

// What a run with such numbers means by its statements.
pub(crate) mod handler;
// Sites that are summed over.
mod summed;
// Where a chain can begin.
pub(crate) mod start;
// The density as a target of chains.
pub(crate) mod named;

use handler::{Batch, Find, Put, Take};

/// The unconstrained numbers of each latent site that a run has met.
type Leaves<E, D> = Vec<Option<Flat<E, D>>>;

/// A latent site and its place in the vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LatentSite {
    /// Its full name.
    pub name: String,
    /// The distribution's name.
    pub distribution: &'static str,
    /// The sizes of its value.
    pub dims: Vec<usize>,
    /// Its unconstrained numbers, which may be fewer than those of its value.
    pub range: Range<usize>,
    /// The vectorised plates around it, outermost first: the leading axes of its value.
    pub plates: Vec<SitePlate>,
}

/// A plate around a latent site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SitePlate {
    /// Its full name.
    pub name: Arc<str>,
    /// How many elements it has in all.
    pub size: usize,
    /// Those that were in the run.
    pub rows: Rows,
}

/// The log-density of a model with data as a function of one flat vector: all latent values, each mapped
/// from unconstrained numbers onto its support, with the Jacobians of the maps, up to a constant.
///
/// Sites that are marked `enumerate` are summed over, exactly ([`enumeration`](crate::enumeration)); in a draw they have
/// values from their posterior given the others. Of the rest, only continuous latent sites that every run has can stand in a
/// vector: a discrete one, one that comes and goes, and a plate that draws a subsample are errors that name them. Parameters have the values of
/// the store, or their initial ones, and do not move.
#[derive(Clone, Debug)]
pub struct ModelDensity<M, A, E: Dtype, D: Backend<E>> {
    model: M,
    args: A,
    params: ParamStore<E, D>,
    sites: Vec<LatentSite>,
    /// Whether a plate may draw a subsample, the same one in every run.
    subsamples: bool,
    /// Whether there are sites to be summed over.
    enumerates: bool,
    /// Whether their dependences were checked.
    checked: bool,
    /// What a draw holds, once it was asked for.
    variables: Option<Vec<Variable>>,
}

impl<A, M, E, D> ModelDensity<M, A, E, D>
where
    A: Clone,
    M: Model<A, E = E, D = D>,
    E: Dtype,
    D: Backend<E>,
{
    /// The density of a model with these arguments; its parameters, if it has any, take their initial values
    /// from seed 0.
    ///
    /// # Errors
    /// A site that cannot stand in a vector, or the first error of a run.
    pub fn new(model: M, args: impl IntoArgs<Args = A>) -> Result<Self, Error> {
        Self::with_params(model, args, ParamStore::new(0))
    }

    /// [`ModelDensity::new`] with parameters from a store.
    ///
    /// # Errors
    /// As there.
    pub fn with_params(model: M, args: impl IntoArgs<Args = A>, params: ParamStore<E, D>) -> Result<Self, Error> {
        Self::of(model, args.into_args(), params)
    }

    /// [`ModelDensity::with_params`] of arguments that are a tuple already.
    pub(crate) fn of(model: M, args: A, params: ParamStore<E, D>) -> Result<Self, Error> {
        Self::found(ModelDensity {
            model,
            args,
            params,
            sites: Vec::new(),
            subsamples: false,
            enumerates: false,
            checked: false,
            variables: None,
        })
    }

    /// The density given the rows of one batch, for guides: a plate that draws a subsample has one by its name.
    pub(crate) fn of_a_batch(model: M, args: A, params: ParamStore<E, D>) -> Result<Self, Error> {
        Self::found(ModelDensity {
            model,
            args,
            params,
            sites: Vec::new(),
            subsamples: true,
            enumerates: false,
            checked: false,
            variables: None,
        })
    }

    fn found(mut density: Self) -> Result<Self, Error> {
        (density.sites, density.enumerates) = density.run(|inner, _, body| {
            let mut find = Find::new(inner);
            no_grad(|| body(&mut find));
            Ok((find.sites, find.enumerates))
        })?;
        Ok(density)
    }

    /// The latent sites in the order of the vector, which is that of the model.
    pub fn sites(&self) -> &[LatentSite] {
        &self.sites
    }

    /// The log-density at a position.
    ///
    /// # Errors
    /// As [`LogDensity::evaluate`].
    ///
    /// # Panics
    /// If `position` has not [`LogDensity::dim`] numbers.
    pub fn log_density(&mut self, position: &[E]) -> Result<f64, Error> {
        assert_eq!(position.len(), self.dim(), "numbers of a position");
        Ok(no_grad(|| self.at(position))?.0.item().wide())
    }

    /// The log-density, and the numbers of each site.
    fn at(&mut self, position: &[E]) -> Result<(Tensor<(), E, D>, Leaves<E, D>), Error> {
        if self.enumerates {
            return self.summed(position);
        }
        self.run(|inner, sites, body| {
            let mut put = Put::new(inner, sites, position);
            body(&mut put);
            put.check_complete()?;
            Ok((total(put.terms), put.leaves))
        })
    }

    /// The run of the model at a position: constrained values, deterministic ones too.
    ///
    /// # Errors
    /// As [`LogDensity::evaluate`].
    ///
    /// # Panics
    /// If `position` has not [`LogDensity::dim`] numbers.
    pub fn trace(&mut self, position: &[E]) -> Result<Trace<E, D>, Error> {
        assert_eq!(position.len(), self.dim(), "numbers of a position");
        let chosen = self.chosen(position)?;
        self.run(|inner, sites, body| {
            let mut choose = Choose::new(inner, &chosen);
            let mut put = Put::new(&mut choose, sites, position);
            let mut tracer = Tracer::new(&mut put);
            no_grad(|| body(&mut tracer));
            let trace = tracer.into_trace();
            put.check_complete()?;
            Ok(trace)
        })
    }

    /// The position of constrained values: the model's own values struct, or a map with all latent sites.
    ///
    /// # Errors
    /// A site without a value, or a value that does not fit its site.
    pub fn position(&mut self, values: impl IntoValueMap) -> Result<Vec<E>, Error> {
        let values = values.into_value_map();
        self.run(|inner, _, body| {
            let mut take = Take::new(inner, &values);
            no_grad(|| body(&mut take));
            Ok(take.position)
        })
    }

    /// Runs the model under what `around` puts around the innermost handlers.
    fn run<R>(
        &mut self,
        around: impl FnOnce(&mut dyn Handler<E, D>, &[LatentSite], &dyn Fn(&mut dyn Handler<E, D>)) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let mut prior = Prior::new(Rng::seed(0));
        // A parameter out of its range is a position without density, and no error.
        Handler::<E, D>::context(&mut prior).validate = false;
        let mut params = Params::new(&mut self.params, &mut prior);
        let mut batch = Batch { inner: &mut params, subsamples: self.subsamples };
        let (model, args) = (&self.model, &self.args);
        let result = around(&mut batch, &self.sites, &|handler| {
            model.run(handler, args.clone());
        });
        // What went wrong first names the cause.
        batch.context().take_error().map_or(result, Err)
    }
}

impl<A, M, E, D> LogDensity<E> for ModelDensity<M, A, E, D>
where
    A: Clone,
    M: Model<A, E = E, D = D>,
    E: Dtype,
    D: Backend<E>,
{
    type Error = Error;

    fn dim(&self) -> usize {
        self.sites.last().map_or(0, |site| site.range.end)
    }

    /// # Errors
    /// The first error of the run: sites that have changed, sizes that do not fit.
    ///
    /// # Panics
    /// If `position` or `gradient` has not [`LogDensity::dim`] numbers.
    fn evaluate(&mut self, position: &[E], gradient: &mut [E]) -> Result<f64, Error> {
        assert_eq!(
            (position.len(), gradient.len()),
            (self.dim(), self.dim()),
            "numbers of a position and its gradient"
        );
        let (log_density, mut leaves, mut grads) = try_grad(|| self.at(position))?;
        for (leaf, site) in leaves.iter_mut().zip(&self.sites) {
            let Some(leaf) = leaf else { continue };
            grads.update(leaf, &mut |_, found| gradient[site.range.clone()].copy_from_slice(found))?;
        }
        Ok(log_density.item().wide())
    }
}
