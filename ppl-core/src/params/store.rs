//! What owns parameters: a value, held by whoever optimises them, never global.

use indexmap::IndexMap;

use crate::address::Address;
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
    /// The last round in which a statement asked for it.
    used_in: u64,
}

impl<E: Dtype, D: Backend<E>> ParamEntry<E, D> {
    /// An entry that no statement has asked for yet.
    pub fn new(value: Box<dyn ErasedModule<E, D>>, constraint: Option<Support<E, D>>) -> Self {
        ParamEntry { value, constraint, used_in: 0 }
    }
}

impl<E: Dtype, D: Backend<E>> Clone for ParamEntry<E, D> {
    fn clone(&self) -> Self {
        ParamEntry { value: self.value.boxed(), constraint: self.constraint.clone(), used_in: self.used_in }
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
    /// Tensors of a checkpoint, by full name, whose statements have not been met yet.
    pending: IndexMap<String, (Vec<usize>, Vec<E>)>,
    round: u64,
}

impl<E: Dtype, D: Backend<E>> ParamStore<E, D> {
    /// An empty store whose initial values come from `seed`.
    pub fn new(seed: u64) -> Self {
        ParamStore { seed, entries: IndexMap::new(), pending: IndexMap::new(), round: 1 }
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

    /// Puts an entry, in the place of one of that name if there is one. Its tensors become leaves of
    /// differentiation.
    pub fn insert(&mut self, name: impl Into<String>, mut entry: ParamEntry<E, D>) {
        entry.value.each_mut("", &mut |_, tensor| tensor.track());
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
        entry.value.each("", &mut |_, tensor| values = Some((Tensor::vector(tensor.to_vec()), tensor.dims())));
        let (values, dims) = values?;
        Some(match entry.constraint.as_ref().and_then(|c| c.transform_to(&dims)) {
            Some(transform) => transform.forward(values),
            None => values,
        })
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

    /// Begins a round: what statements ask for from here on is what
    /// [`ParamStore::each_used_tensor_mut`] lends.
    pub fn begin_round(&mut self) {
        self.round += 1;
    }

    /// Lends each tensor that a statement of this round asked for, with its full name, in order.
    pub fn each_used_tensor_mut(&mut self, mut f: impl FnMut(&str, &mut dyn ParamTensor<E, D>)) {
        for (name, entry) in self.entries.iter_mut().filter(|(_, entry)| entry.used_in == self.round) {
            entry.value.each_mut(name, &mut f);
        }
    }

    /// Takes over what a copy of this store, made in this round, met since: which statements it asked for,
    /// and the values of new ones.
    pub fn join(&mut self, copy: Self) {
        let round = self.round;
        for (name, entry) in copy.entries.into_iter().filter(|(_, entry)| entry.used_in == copy.round) {
            self.entries.entry(name).or_insert(entry).used_in = round;
        }
        self.pending.retain(|name, _| copy.pending.contains_key(name));
    }

    /// Keeps the values of tensors, by full name, for statements that have not been met yet.
    pub fn set_pending(&mut self, tensors: impl IntoIterator<Item = (String, (Vec<usize>, Vec<E>))>) {
        self.pending = tensors.into_iter().collect();
    }

    /// Tensors, by full name, that wait for their statements.
    pub fn pending(&self) -> impl Iterator<Item = (&str, &(Vec<usize>, Vec<E>))> {
        self.pending.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// Gives a statement its value, tracked: the stored one, or a new one that it stores.
    ///
    /// # Errors
    /// If the stored value has another type or constraint than the statement's, or the initial value
    /// is not allowed, in which case nothing is stored.
    pub fn supply(&mut self, site: &mut dyn ParamSite<E, D>) -> Result<(), Error> {
        if !self.entries.contains_key(site.address().as_str()) {
            let entry = self.make(site)?;
            self.entries.insert(site.address().to_string(), entry);
        }
        let round = self.round;
        let entry = &mut self.entries[site.address().as_str()];
        entry.used_in = round;
        same_constraint(site.address(), entry.constraint.as_ref(), site.constraint())?;
        site.set_value(&*entry.value)
    }

    /// A statement's first value: its own initial one, or that of a checkpoint.
    fn make(&mut self, site: &mut dyn ParamSite<E, D>) -> Result<ParamEntry<E, D>, Error> {
        let name = site.address().to_string();
        site.initialise(&mut Init::new(Rng::named(self.seed, &name)))?;
        let Some(mut value) = site.value().map(ErasedModule::boxed) else {
            let problem = "it has neither a stored value nor an initial one".into();
            return Err(Error::Param { param: name, problem });
        };
        let (mut result, mut taken) = (Ok(()), Vec::new());
        value.each_mut(&name, &mut |name, tensor| {
            tensor.track();
            if let Some((dims, values)) = self.pending.get(name) {
                result = std::mem::replace(&mut result, Ok(())).and_then(|()| set_checked(name, tensor, dims, values));
                taken.push(name.to_owned());
            }
        });
        result?;
        self.check_names(&name, &*value, &taken)?;
        self.pending.retain(|name, _| !taken.contains(name));
        Ok(ParamEntry::new(value, site.constraint().cloned()))
    }

    /// Whether no other statement has a tensor of the same full name, and the checkpoint that the
    /// names `taken` come from has all tensors of the new statement.
    fn check_names(&self, statement: &str, value: &dyn ErasedModule<E, D>, taken: &[String]) -> Result<(), Error> {
        let mut problem = None;
        value.each(statement, &mut |name, _| {
            let wrong = if !taken.is_empty() && !taken.iter().any(|t| t == name) {
                "the checkpoint lacks it, but has other tensors of its module"
            } else if self.holds_tensor(name) {
                "another parameter statement has a tensor of this name"
            } else {
                return;
            };
            problem.get_or_insert(Error::Param { param: name.to_owned(), problem: wrong.into() });
        });
        problem.map_or(Ok(()), Err)
    }

    fn holds_tensor(&self, name: &str) -> bool {
        let mut held = false;
        // A tensor's full name begins with its statement's.
        let statements = self.entries.iter().filter(|(statement, _)| name.starts_with(statement.as_str()));
        statements.for_each(|(statement, entry)| entry.value.each(statement, &mut |n, _| held |= n == name));
        held
    }
}

/// Checks that two statements of one name mean the same unconstrained numbers.
fn same_constraint<E: Dtype, D: Backend<E>>(
    param: &Address,
    stored: Option<&Support<E, D>>,
    asked: Option<&Support<E, D>>,
) -> Result<(), Error> {
    let words = |c: Option<&Support<E, D>>| c.map_or_else(|| "anything".to_owned(), |c| c.describe());
    if stored.is_none() && asked.is_none() || words(stored) == words(asked) {
        return Ok(());
    }
    let (stored, asked) = (words(stored), words(asked));
    let problem = format!("the statement says that it must be {asked}, but the stored value must be {stored}");
    Err(Error::Param { param: param.to_string(), problem })
}

/// Replaces a tensor's elements by those of a checkpoint.
fn set_checked<E: Dtype, D: Backend<E>>(
    name: &str,
    tensor: &mut dyn ParamTensor<E, D>,
    dims: &[usize],
    values: &[E],
) -> Result<(), Error> {
    let (param, found) = (name.to_owned(), tensor.dims());
    if found != dims {
        let problem = format!("the checkpoint has shape {dims:?}, but the parameter has shape {found:?}");
        return Err(Error::Param { param, problem });
    }
    Ok(tensor.set(values)?)
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
