//! The record of a run: its sites with values and log-densities, and its plates.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use crate::address::{Address, indices_in};
use crate::backend::Backend;
use crate::distribution::Family;
use crate::dtype::Dtype;
use crate::error::Error;
use crate::plate::{Frames, Rows};
use crate::site::{SampleSite, SiteKind};
use crate::tensor::Tensor;
use crate::values::{AnyValue, FamilyIndex, IntoValueMap, SiteValue, ValueMap};

// What a record keeps of each site.
mod keep;

pub use keep::{Densities, Keep, Numbers};

/// What a trace keeps of one site.
#[derive(Clone, Debug)]
pub struct SiteRecord<E: Dtype, D: Backend<E>> {
    /// Its name.
    pub address: Address,
    /// What it is.
    pub kind: SiteKind,
    /// Its value.
    pub value: Box<dyn AnyValue>,
    /// Whether the value is data.
    pub observed: bool,
    /// Whether it is marked to be summed out.
    pub enumerate: bool,
    /// Whether draws carry pathwise gradients.
    pub has_rsample: bool,
    /// The distribution's name.
    pub distribution: &'static str,
    /// The log-density of the value, masked, scaled and summed; tracked. Zero where [`Keep::densities`] left it out.
    pub log_prob: Tensor<(), E, D>,
    /// What the log-density was multiplied by.
    pub scale: f64,
    /// The plates around it, outermost first.
    pub frames: Frames,
    /// Why the log-density is not finite, where it is not.
    pub problem: Option<Error>,
    /// The log-density for each element of the plates around it, masked but not scaled; tracked. Only
    /// where [`Keep::elements`] asked for it.
    pub elements: Option<Tensor<(usize,), E, D>>,
    /// The distribution, for closed divergences; only where [`Keep::families`] asked for it, and the
    /// distribution has one.
    pub family: Option<Family<E, D>>,
    /// The numbers of the value, tracked where it is; only where [`Keep::numbers`] asked for them, and the value
    /// is a tensor of the model's dtype.
    pub numbers: Option<Numbers<E, D>>,
}

impl<E: Dtype, D: Backend<E>> SiteRecord<E, D> {
    /// Records a site that has its value.
    pub fn of(site: &dyn SampleSite<E, D>, value: &dyn AnyValue) -> Self {
        Self::keeping(Keep::default(), site, value)
    }

    /// [`SiteRecord::of`] that keeps more.
    pub fn keeping(keep: Keep, site: &dyn SampleSite<E, D>, value: &dyn AnyValue) -> Self {
        let state = site.state();
        let scored = keep.densities.are_of(state);
        let elements = (keep.elements && scored).then(|| site.log_prob_elements());
        let log_prob = match &elements {
            Some(elements) => elements.sum_all() * E::of(state.scale),
            None if scored => site.log_prob_sum(),
            None => Tensor::zeros(),
        };
        let finite = log_prob.item().is_finite();
        SiteRecord {
            address: state.address.clone(),
            kind: state.kind,
            value: value.boxed(),
            observed: state.observed,
            enumerate: state.enumerate,
            has_rsample: site.has_rsample(),
            distribution: site.distribution(),
            log_prob,
            scale: state.scale,
            frames: state.frames.clone(),
            problem: (!finite).then(|| site.explain_non_finite()),
            elements,
            family: if keep.families { site.family() } else { None },
            numbers: if keep.numbers { Numbers::of(site) } else { None },
        }
    }

    /// Whether inference must find its value: a sample statement that is neither data nor set.
    pub fn is_latent(&self) -> bool {
        self.kind == SiteKind::Sample && !self.observed
    }
}

/// The record of a run.
#[derive(Clone, Debug)]
pub struct Trace<E: Dtype, D: Backend<E>> {
    sites: IndexMap<String, SiteRecord<E, D>, FxBuildHasher>,
    plates: IndexMap<String, (usize, Rows), FxBuildHasher>,
}

impl<E: Dtype, D: Backend<E>> Default for Trace<E, D> {
    fn default() -> Self {
        Trace { sites: IndexMap::default(), plates: IndexMap::default() }
    }
}

impl<E: Dtype, D: Backend<E>> Trace<E, D> {
    /// Adds a site.
    ///
    /// # Errors
    /// If a site of that name is there already; the first one stays.
    pub fn insert(&mut self, record: SiteRecord<E, D>) -> Result<(), Error> {
        match self.sites.entry(record.address.as_str().to_owned()) {
            indexmap::map::Entry::Occupied(entry) => Err(Error::DuplicateSite(entry.key().clone())),
            indexmap::map::Entry::Vacant(entry) => {
                entry.insert(record);
                Ok(())
            }
        }
    }

    /// Adds a plate with the rows of this run.
    pub fn insert_plate(&mut self, name: &str, size: usize, rows: Rows) {
        self.plates.insert(name.to_owned(), (size, rows));
    }

    /// The site of that full name.
    pub fn site(&self, name: &str) -> Option<&SiteRecord<E, D>> {
        self.sites.get(name)
    }

    /// The sites in the order of the run.
    pub fn sites(&self) -> impl Iterator<Item = &SiteRecord<E, D>> {
        self.sites.values()
    }

    /// Full size and rows of the plate of that full name.
    pub fn plate(&self, name: &str) -> Option<(usize, &Rows)> {
        self.plates.get(name).map(|(size, rows)| (*size, rows))
    }

    /// The full names of the plates of which some rows alone are in this run, with these rows.
    pub fn subsampled(&self) -> impl Iterator<Item = (&str, &Rows)> {
        self.plates.iter().filter(|(_, (_, rows))| !rows.is_all()).map(|(name, (_, rows))| (name.as_str(), rows))
    }

    /// The value of a site, if it has that type.
    pub fn value<T: SiteValue>(&self, name: &str) -> Option<&T> {
        self.sites.get(name)?.value.as_any().downcast_ref::<T>()
    }

    /// The values of the latent sites, by name.
    pub fn latents(&self) -> ValueMap {
        let mut values = ValueMap::new();
        for site in self.sites().filter(|site| site.is_latent()) {
            values.put_any(site.address.as_str(), site.value.clone());
        }
        values
    }

    /// The sum of all log-densities: the log joint density of the run.
    pub fn log_prob_sum(&self) -> Tensor<(), E, D> {
        sum(self.sites().map(|site| &site.log_prob))
    }

    /// The first site whose log-density is not finite, explained.
    pub fn problem(&self) -> Option<&Error> {
        self.sites().find_map(|site| site.problem.as_ref())
    }

    /// The trace as a typed struct: a model's own `…Trace`.
    ///
    /// # Errors
    /// If a field's site is missing or of another type.
    pub fn typed<T: TypedTrace>(&self) -> Result<T, Error> {
        T::read(&TraceReader { sites: self, scope: String::new() })
    }
}

/// The sum of scalars, in `f64`.
pub fn sum<'a, E: Dtype, D: Backend<E>>(terms: impl Iterator<Item = &'a Tensor<(), E, D>>) -> Tensor<(), E, D> {
    total(terms.cloned())
}

/// [`sum`] of terms that are given away.
pub fn total<E: Dtype, D: Backend<E>>(terms: impl IntoIterator<Item = Tensor<(), E, D>>) -> Tensor<(), E, D> {
    let mut parts: Vec<_> = terms.into_iter().map(Tensor::into_flat).collect();
    match parts.len() {
        0 => Tensor::zeros(),
        1 => parts.remove(0).reshape_like(&()),
        _ => D::add_up(parts).reshape_like(&()),
    }
}

/// One site of a typed trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Site<T> {
    /// The value.
    pub value: T,
    /// Its log-density, masked, scaled and summed.
    pub log_prob: f64,
    /// Whether the value is data.
    pub observed: bool,
}

/// A trace as a struct with one field a site; `#[model]` writes them.
pub trait TypedTrace: Sized {
    /// The same fields as `Option`s of values.
    type Values: IntoValueMap + Default;

    /// Reads the fields.
    ///
    /// # Errors
    /// If a field's site is missing or of another type.
    fn read(reader: &TraceReader<'_>) -> Result<Self, Error>;
}

impl<T: TypedTrace> TypedTrace for Box<T> {
    type Values = T::Values;

    fn read(reader: &TraceReader<'_>) -> Result<Self, Error> {
        T::read(reader).map(Box::new)
    }
}

/// A trace seen without its dtype.
trait Sites {
    fn find(&self, name: &str) -> Option<Found<'_>>;
    fn all(&self) -> Vec<Found<'_>>;
}

/// What a typed field needs of a site.
struct Found<'a> {
    address: &'a Address,
    value: &'a dyn AnyValue,
    log_prob: f64,
    observed: bool,
}

impl<E: Dtype, D: Backend<E>> SiteRecord<E, D> {
    fn found(&self) -> Found<'_> {
        let log_prob = self.log_prob.item().wide();
        Found { address: &self.address, value: &*self.value, log_prob, observed: self.observed }
    }
}

impl<E: Dtype, D: Backend<E>> Sites for Trace<E, D> {
    fn find(&self, name: &str) -> Option<Found<'_>> {
        self.sites.get(name).map(SiteRecord::found)
    }

    fn all(&self) -> Vec<Found<'_>> {
        self.sites.values().map(SiteRecord::found).collect()
    }
}

/// Reads typed fields out of a trace, under the scope of a submodel.
pub struct TraceReader<'a> {
    sites: &'a dyn Sites,
    scope: String,
}

impl<'a> TraceReader<'a> {
    /// The field of a site that every run has.
    ///
    /// # Errors
    /// If it is missing or of another type.
    pub fn site<T: SiteValue>(&self, name: &str) -> Result<Site<T>, Error> {
        let problem = "the trace has no such site, though every run of the model should".into();
        self.optional(name)?.ok_or_else(|| Error::Site { site: self.full(name), problem })
    }

    /// The field of a site that some runs have.
    ///
    /// # Errors
    /// If it is of another type.
    pub fn optional<T: SiteValue>(&self, name: &str) -> Result<Option<Site<T>>, Error> {
        self.sites.find(&self.full(name)).map(typed).transpose()
    }

    /// The field of a family: all sites of that pattern, by index.
    ///
    /// # Errors
    /// If one is of another type.
    pub fn family<I: FamilyIndex, T: SiteValue>(&self, pattern: &str) -> Result<BTreeMap<I, Site<T>>, Error> {
        let members = self.sites.all().into_iter();
        let members = members.filter(|s| s.address.scope() == self.scope && s.address.pattern() == pattern);
        members.filter_map(|s| I::from_indices(s.address.indices()).map(|i| Ok((i, typed(s)?)))).collect()
    }

    /// The field of a submodel that every run has.
    ///
    /// # Errors
    /// If one of its sites is missing or of another type.
    pub fn submodel<T: TypedTrace>(&self, name: &str) -> Result<T, Error> {
        T::read(&TraceReader { sites: self.sites, scope: self.full(name) + "/" })
    }

    /// The field of a submodel that some runs have: those with a site in its scope.
    ///
    /// # Errors
    /// If one of its sites is missing or of another type.
    pub fn optional_submodel<T: TypedTrace>(&self, name: &str) -> Result<Option<T>, Error> {
        let scope = self.full(name) + "/";
        let present = self.sites.all().iter().any(|s| s.address.scope().starts_with(&scope));
        present.then(|| self.submodel(name)).transpose()
    }

    /// The field of a family of submodels, by index.
    ///
    /// # Errors
    /// If one of their sites is missing or of another type.
    pub fn submodel_family<I: FamilyIndex, T: TypedTrace>(
        &self,
        pattern: &'static str,
    ) -> Result<BTreeMap<I, T>, Error> {
        let mut found = BTreeMap::new();
        for site in self.sites.all() {
            let Some(rest) = site.address.scope().strip_prefix(&self.scope) else { continue };
            let Some(first) = rest.split('/').next().filter(|s| !s.is_empty()) else { continue };
            let Some(index) = indices_in(pattern, first).and_then(|i| I::from_indices(&i)) else { continue };
            if let Entry::Vacant(entry) = found.entry(index) {
                entry.insert(self.submodel(first)?);
            }
        }
        Ok(found)
    }

    fn full(&self, name: &str) -> String {
        format!("{}{name}", self.scope)
    }
}

fn typed<T: SiteValue>(found: Found<'_>) -> Result<Site<T>, Error> {
    match found.value.as_any().downcast_ref::<T>() {
        Some(value) => Ok(Site { value: value.clone(), log_prob: found.log_prob, observed: found.observed }),
        None => Err(Error::ValueType {
            site: found.address.to_string(),
            action: "read into a typed trace",
            found: found.value.type_name(),
            expected: std::any::type_name::<T>(),
        }),
    }
}
