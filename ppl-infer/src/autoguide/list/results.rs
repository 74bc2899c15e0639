//! What a fitted guide of several blocks says, in the model's own types.

use indexmap::IndexMap;
use ppl_core::autodiff::no_grad;
use ppl_core::backend::Backend;
use ppl_core::handler::Handler;
use ppl_core::handlers::{Params, Prior, Replay, Tracer};
use ppl_core::model::{IntoArgs, Model};
use ppl_core::params::ParamStore;
use ppl_core::rng::Rng;
use ppl_core::site::SampleSite;
use ppl_core::trace::Trace;
use ppl_core::values::ValueMap;
use ppl_core::{Dtype, Error, Tensor};

use super::AutoGuideList;
use crate::autoguide::blocks::{Block, Plan};
use crate::autoguide::callable::Written;
use crate::autoguide::discrete::{Table, modes};
use crate::autoguide::gaussian::Gaussian;
use crate::autoguide::results::z_score;
use crate::autoguide::rows::rows_of;
use crate::model_density::LatentSite;
use crate::model_density::handler::is_in_vector;

impl<M, E: Dtype, D: Backend<E>, W> AutoGuideList<M, E, D, W> {
    /// The model's run at the median of each unconstrained number, the likeliest value of each discrete element, and the
    /// medians of parts written by hand: all sites in their own types, deterministic ones computed, data as they are.
    ///
    /// # Errors
    /// A site whose block has no median; the first error of the run.
    pub fn median<A: Clone>(&self, params: &ParamStore<E, D>, args: impl IntoArgs<Args = A>) -> Result<M::Trace, Error>
    where
        M: Model<A, E = E, D = D>,
        W: Written<A, E, D>,
    {
        let args = args.into_args();
        let (mut place, mut written) = (Place::default(), Vec::new());
        self.written.medians(params, &args, &mut written);
        let mut written = written.into_iter();
        for block in &self.plan.blocks {
            place.add_medians(block, params, &mut written)?;
        }
        self.at(&place, params, args)
    }

    /// The model's run at a quantile of each unconstrained number, for each of these probabilities.
    ///
    /// # Errors
    /// A site whose block is no family of normal distributions; the first error of a run.
    ///
    /// # Panics
    /// If a probability is not within (0, 1).
    pub fn quantiles<A: Clone>(
        &self,
        params: &ParamStore<E, D>,
        args: impl IntoArgs<Args = A>,
        probabilities: &[f64],
    ) -> Result<Vec<M::Trace>, Error>
    where
        M: Model<A, E = E, D = D>,
    {
        let (posterior, args) = (self.posterior(params)?, args.into_args());
        let quantile = |&p: &f64| {
            let z = z_score(p);
            let numbers: Vec<f64> = posterior.loc.iter().zip(posterior.scale()).map(|(m, s)| m + z * s).collect();
            let mut place = Place::default();
            posterior.sites.iter().for_each(|site| place.put(site, &numbers));
            self.at(&place, params, args.clone())
        };
        probabilities.iter().map(quantile).collect()
    }

    /// The normal distribution of the unconstrained numbers of all sites: blocks are independent.
    ///
    /// # Errors
    /// A site whose block is no family of normal distributions.
    pub fn posterior(&self, params: &ParamStore<E, D>) -> Result<Gaussian, Error> {
        let Plan { blocks, sites } = &*self.plan;
        let n = sites.last().map_or(0, |site| site.range.end);
        let (mut loc, mut covariance) = (vec![0.0; n], vec![vec![0.0; n]; n]);
        for block in blocks.iter().filter(|block| !block.is_empty()) {
            let normal = block.part.as_ref().and_then(|part| part.gaussian(&block.layout, &within(block, params)));
            let normal = normal.ok_or_else(|| no(block, "no normal distribution; take `draws` instead"))?;
            let places = sites.iter().filter(|site| block.layout.sites.iter().any(|mine| mine.name == site.name));
            let places: Vec<usize> = places.flat_map(|site| site.range.clone()).collect();
            for (i, &to) in places.iter().enumerate() {
                loc[to] = normal.loc[i];
                places.iter().enumerate().for_each(|(j, &from)| covariance[to][from] = normal.covariance[i][j]);
            }
        }
        Ok(Gaussian { sites: sites.clone(), loc, covariance })
    }

    /// The probabilities of the values of a discrete site: a row for each of its elements, in the order of
    /// [`enumerate_support`](ppl_core::distribution::Distribution::enumerate_support).
    ///
    /// # Errors
    /// If no block of [`DiscreteParallel`](crate::autoguide::DiscreteParallel) has such a site.
    pub fn probabilities(&self, params: &ParamStore<E, D>, site: &str) -> Result<Vec<Vec<f64>>, Error> {
        let tables = |block: &'_ Block<E, D>| block.tables.iter().position(|table| table.site == site);
        let found = self.plan.blocks.iter().find_map(|block| tables(block).map(|at| (block, at)));
        let (block, at) = found.ok_or_else(|| Error::Site {
            site: site.to_owned(),
            problem: "no block of `DiscreteParallel` in the guide has such a site".into(),
        })?;
        Ok(block.tables[at].rows(&within(block, params)))
    }

    /// The model's runs at so many draws of the guide, each from a stream of the seed of its own.
    ///
    /// # Errors
    /// The first error of a run.
    pub fn draws<A: Clone>(
        &self,
        params: &ParamStore<E, D>,
        args: impl IntoArgs<Args = A>,
        draws: u64,
        seed: u64,
    ) -> Result<Vec<M::Trace>, Error>
    where
        M: Model<A, E = E, D = D>,
        W: Written<A, E, D>,
    {
        let (args, mut store) = (args.into_args(), params.clone());
        let mut draw = |number: u64| {
            let mut prior = Prior::new(Rng::stream(seed, number));
            let mut params = Params::new(&mut store, &mut prior);
            let mut tracer = Tracer::new(&mut params);
            no_grad(|| self.run(&mut tracer, args.clone()));
            let drawn = tracer.into_trace();
            let mut replay = Replay::new(&drawn, &mut params);
            let mut tracer = Tracer::new(&mut replay);
            no_grad(|| self.model.run(&mut tracer, args.clone()));
            let trace = tracer.into_trace();
            let trace = params.context().finish(trace)?;
            has_all_values(&trace)?;
            trace.typed()
        };
        (0..draws).map(&mut draw).collect()
    }

    /// The model's run at these values.
    fn at<A>(&self, place: &Place<'_, E, D>, params: &ParamStore<E, D>, args: A) -> Result<M::Trace, Error>
    where
        M: Model<A, E = E, D = D>,
    {
        let (mut store, mut prior) = (params.clone(), Prior::seeded(0));
        Handler::<E, D>::context(&mut prior).validate = false;
        let mut params = Params::new(&mut store, &mut prior);
        let mut put = Put { inner: &mut params, place };
        let mut tracer = Tracer::new(&mut put);
        no_grad(|| self.model.run(&mut tracer, args));
        let trace = tracer.into_trace();
        let trace = params.context().finish(trace)?;
        has_all_values(&trace)?;
        trace.typed()
    }
}

/// # Errors
/// A site that the guide leaves to a sum over its values: the run had one from its prior.
fn has_all_values<E: Dtype, D: Backend<E>>(trace: &Trace<E, D>) -> Result<(), Error> {
    trace.sites().find(|site| site.enumerate && site.is_latent()).map_or(Ok(()), |site| {
        let problem = "it is summed over, and the guide has no value for it; substitute those of the other sites \
                       (`AutoGuideList::posterior`), and ask `InferDiscrete`";
        Err(Error::Site { site: site.address.to_string(), problem: problem.into() })
    })
}

/// The parameters of a block, by their names in it.
fn within<E: Dtype, D: Backend<E>>(block: &Block<E, D>, params: &ParamStore<E, D>) -> ParamStore<E, D> {
    let Some(scope) = &block.scope else { return params.clone() };
    let mut own = ParamStore::new(params.seed());
    for name in params.names() {
        let short = name.strip_prefix(scope.as_str()).and_then(|rest| rest.strip_prefix('/'));
        if let (Some(short), Some(entry)) = (short, params.entry(name)) {
            own.insert(short, entry.clone());
        }
    }
    own
}

/// What a block cannot say.
fn no<E: Dtype, D: Backend<E>>(block: &Block<E, D>, what: &str) -> Error {
    let part = block.part.as_ref().map_or("AutoCallable", |part| part.name());
    Error::Site { site: block.first(), problem: format!("its block of the guide (`{part}`) has {what}") }
}

/// A value for each latent site.
struct Place<'p, E: Dtype, D: Backend<E>> {
    /// Of each continuous site, those of all rows of its plates.
    numbers: IndexMap<String, (LatentSite, Tensor<(usize,), E, D>)>,
    chosen: IndexMap<&'p str, (&'p Table, Vec<usize>)>,
    values: Vec<ValueMap>,
}

impl<E: Dtype, D: Backend<E>> Default for Place<'_, E, D> {
    fn default() -> Self {
        Place { numbers: IndexMap::new(), chosen: IndexMap::new(), values: Vec::new() }
    }
}

impl<'p, E: Dtype, D: Backend<E>> Place<'p, E, D> {
    fn put(&mut self, site: &LatentSite, numbers: &[f64]) {
        let numbers = Tensor::vector(numbers[site.range.clone()].iter().map(|&x| E::of(x)).collect());
        self.numbers.insert(site.name.clone(), (site.clone(), numbers));
    }

    fn add_medians(
        &mut self,
        block: &'p Block<E, D>,
        params: &ParamStore<E, D>,
        written: &mut impl Iterator<Item = Option<ValueMap>>,
    ) -> Result<(), Error> {
        let Some(part) = &block.part else {
            let values = written.next().flatten();
            self.values.push(values.ok_or_else(|| no(block, "no median; give it one by `AutoCallable::median`"))?);
            return Ok(());
        };
        let own = within(block, params);
        if !block.layout.sites.is_empty() {
            let numbers =
                part.location(&block.layout, &own).ok_or_else(|| no(block, "no median; take `draws` instead"))?;
            block.layout.sites.iter().for_each(|site| self.put(site, &numbers));
        }
        for table in &block.tables {
            self.chosen.insert(&table.site, (table, modes(&table.rows(&own))));
        }
        Ok(())
    }
}

/// Gives latent sites their values.
struct Put<'h, 'p, E: Dtype, D: Backend<E>> {
    inner: &'h mut dyn Handler<E, D>,
    place: &'h Place<'p, E, D>,
}

impl<E: Dtype, D: Backend<E>> Put<'_, '_, E, D> {
    fn put(&mut self, site: &mut dyn SampleSite<E, D>) -> Result<(), Error> {
        let Place { numbers, chosen, values } = self.place;
        if let Some((known, numbers)) = numbers.get(site.name()) {
            let numbers = match rows_of(known, site, self.inner.context())? {
                Some(rows) => numbers.gather(&rows),
                None => numbers.clone(),
            };
            return site.set_unconstrained(&numbers).map(|_| ());
        }
        if let Some((table, chosen)) = chosen.get(site.name()) {
            let support = table.support(site)?;
            return site.set_numbers(&table.value(&support, chosen), "median");
        }
        match values.iter().find_map(|values| values.get(site.name())) {
            Some(value) => site.set_value(value, "median"),
            None => {
                let problem = "the guide has no value for it: the medians of its part written by hand lack it";
                Err(Error::Site { site: site.name().to_owned(), problem: problem.into() })
            }
        }
    }
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for Put<'_, '_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
        if is_in_vector(site) {
            let put = self.put(site);
            self.inner.context().check(put);
        }
        self.inner.sample(site);
    }
}
