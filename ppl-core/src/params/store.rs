//! What owns parameters: a value, held by whoever optimises them, never global.

use indexmap::IndexMap;

use crate::backend::Backend;
use crate::constraint::Support;
use crate::dtype::Dtype;
use crate::error::Error;
use crate::rng::Rng;
use crate::tensor::Tensor;

use super::{ErasedModule, Init, Module, ParamSite, ParamTensor};

/// One parameter statement's value in the store.
pub struct ParamEntry<E: Dtype, D: Backend<E>> {
    /// The tensor, unconstrained, or the module.
    pub value: Box<dyn ErasedModule<E, D>>,
    /// The set that a tensor's constrained value lives in.
    pub constraint: Option<Support<E, D>>,
}

impl<E: Dtype, D: Backend<E>> Clone for ParamEntry<E, D> {
    fn clone(&self) -> Self {
        ParamEntry { value: self.value.boxed(), constraint: self.constraint.clone() }
    }
}

/// Parameters by name, in the order in which statements first asked for them.
///
/// A statement's value is made by its own initialiser the first time, from a stream of the store's
/// seed that belongs to its name. Optimisers see unconstrained values and change them in place.
#[derive(Clone)]
pub struct ParamStore<E: Dtype, D: Backend<E>> {
    seed: u64,
    entries: IndexMap<String, ParamEntry<E, D>>,
}

impl<E: Dtype, D: Backend<E>> ParamStore<E, D> {
    /// An empty store whose initial values come from `seed`.
    pub fn new(seed: u64) -> Self {
        ParamStore { seed, entries: IndexMap::new() }
    }

    /// The seed of initial values.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The same store with another seed for the values that are not there yet.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// How many parameter statements have a value.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The statements' names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// The entry of a statement.
    pub fn entry(&self, name: &str) -> Option<&ParamEntry<E, D>> {
        self.entries.get(name)
    }

    /// Puts an entry, in the place of one of that name if there is one.
    pub fn insert(&mut self, name: impl Into<String>, entry: ParamEntry<E, D>) {
        self.entries.insert(name.into(), entry);
    }

    /// The (unconstrained) tensor or module of a statement, if it has that type.
    pub fn get<M: Module<E, D>>(&self, name: &str) -> Option<M> {
        self.entries.get(name)?.value.as_any().downcast_ref::<M>().cloned()
    }

    /// The constrained value of a tensor statement, flat, by name.
    pub fn constrained(&self, name: &str) -> Option<Tensor<(usize,), E, D>> {
        let entry = self.entries.get(name)?;
        let mut values = None;
        entry.value.each("", &mut |_, tensor| values = Some(Tensor::vector(tensor.to_vec())));
        let values = values?;
        Some(entry.constraint.as_ref().map_or(values.clone(), |c| c.transform(values)))
    }

    /// Calls `f` with each tensor and its full name (`"decoder.l1.weight"`), in order.
    pub fn each_tensor(&self, mut f: impl FnMut(&str, &dyn ParamTensor<E, D>)) {
        for (name, entry) in &self.entries {
            entry.value.each(name, &mut f);
        }
    }

    /// Lends each tensor with its full name to `f`, in order.
    pub fn each_tensor_mut(&mut self, mut f: impl FnMut(&str, &mut dyn ParamTensor<E, D>)) {
        for (name, entry) in &mut self.entries {
            entry.value.each_mut(name, &mut f);
        }
    }

    /// Gives a statement its value, tracked: the stored one, or a new one that it stores.
    ///
    /// # Errors
    /// If the stored value has another type than the statement's.
    pub fn supply(&mut self, site: &mut dyn ParamSite<E, D>) -> Result<(), Error> {
        let name = site.address().as_str();
        if !self.entries.contains_key(name) {
            let mut init = Init::new(Rng::named(self.seed, name));
            let name = name.to_owned();
            site.initialise(&mut init);
            let Some(value) = site.value().map(ErasedModule::boxed) else {
                let problem = "it has neither a stored value nor an initial one".into();
                return Err(Error::Param { param: name, problem });
            };
            let mut value = value;
            value.each_mut("", &mut |_, tensor| tensor.track());
            self.entries.insert(name, ParamEntry { value, constraint: site.constraint().cloned() });
        }
        let entry = &self.entries[site.address().as_str()];
        site.set_value(&*entry.value)
    }
}

impl<E: Dtype, D: Backend<E>> std::fmt::Debug for ParamStore<E, D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut map = f.debug_map();
        self.each_tensor(|name, tensor| {
            map.entry(&name, &tensor.dims());
        });
        map.finish()
    }
}
