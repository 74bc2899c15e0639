//! Saving a run and going on with it bit for bit.

use std::path::Path;

use indexmap::IndexMap;
use ppl_core::backend::Backend;
use ppl_core::model::{Guide, IntoArgs, Model, Program};
use ppl_core::params::ParamStore;
use ppl_core::{Dtype, Error};

use super::Svi;
use crate::checkpoint::{Checkpoint, CheckpointError, Header, Stored, VERSION};
use crate::elbo::Objective;
use crate::optim::{Optimizer, TensorState};

/// The names of parameters' tensors in a checkpoint.
const PARAM: &str = "param/";

/// The names of the optimiser's slots in a checkpoint, by number.
const SLOT: &str = "optimizer/";

impl<M, G, O, L, E, D> Svi<M, G, O, L, E, D>
where
    M: Program,
    G: Program,
    G::Base: Guide<M::Base>,
    O: Optimizer<E, D>,
    L: Objective<E, D>,
    E: Dtype,
    D: Backend<E>,
{
    /// Writes parameters, the optimiser's and the objective's state, seed and step to `path`,
    /// atomically.
    ///
    /// # Errors
    /// If a file operation fails; a file that was there before is then untouched.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), CheckpointError> {
        self.checkpoint().write(path.as_ref())
    }

    fn checkpoint(&self) -> Checkpoint<E> {
        let mut tensors = IndexMap::new();
        let mut params = Vec::new();
        self.params.each_tensor(|name, tensor| {
            params.push(name.to_owned());
            tensors.insert(format!("{PARAM}{name}"), (tensor.dims(), tensor.to_vec()));
        });
        for (name, tensor) in self.params.pending() {
            params.push(name.to_owned());
            tensors.insert(format!("{PARAM}{name}"), tensor.clone());
        }
        let mut updates = IndexMap::new();
        for (name, state) in self.optimizer.state() {
            updates.insert(name.clone(), state.steps);
            for (i, slot) in state.slots.iter().enumerate() {
                tensors.insert(format!("{SLOT}{i}/{name}"), (vec![slot.len()], slot.clone()));
            }
        }
        let header = Header {
            version: VERSION,
            dtype: E::NAME.to_owned(),
            seed: self.seed,
            step: self.step,
            optimizer: self.optimizer.name().to_owned(),
            updates,
            objective: self.objective.state().into_iter().map(f64::to_bits).collect(),
            params,
        };
        Checkpoint { header, tensors }
    }

    /// Reads a checkpoint, so that the next [`Svi::step`] is the one that would have followed
    /// [`Svi::save`]. `args` are those of any step: guide and model are run once with them, to make
    /// their parameters, which are then checked against the file.
    ///
    /// # Errors
    /// If the file is missing, broken, of a newer layout, of another dtype or optimiser, or an entry
    /// has another shape than its parameter; nothing is changed then.
    pub fn load<A: Clone>(
        &mut self,
        path: impl AsRef<Path>,
        args: impl IntoArgs<Args = A>,
    ) -> Result<(), CheckpointError>
    where
        M: Model<A, E = E, D = D>,
        G: Model<A, E = E, D = D>,
        Self: Clone,
    {
        let path = path.as_ref();
        let Checkpoint { header, tensors } = Checkpoint::<E>::read(path)?;
        let entry = |entry: &str, problem: String| CheckpointError::Entry {
            path: path.to_owned(),
            entry: entry.to_owned(),
            problem,
        };
        if header.optimizer != self.optimizer.name() {
            let problem = format!("saved by {}, but the optimiser is {}", header.optimizer, self.optimizer.name());
            return Err(entry("optimizer", problem));
        }
        let (params, slots) = split(tensors);
        let state = optimizer_state(&header, &params, slots).map_err(|(name, problem)| entry(&name, problem))?;

        let mut loaded = self.clone();
        loaded.seed = header.seed;
        loaded.params = ParamStore::new(header.seed);
        loaded.params.set_pending(params);
        match loaded.evaluate(args) {
            Err(Error::Param { param, problem }) => return Err(entry(&format!("{PARAM}{param}"), problem)),
            // Whether the loss is finite there is not the checkpoint's business.
            Err(Error::NonFinite { .. }) | Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        missing(&loaded.params, &header)
            .map_err(|name| entry(&format!("{PARAM}{name}"), "the file lacks it".into()))?;
        loaded.step = header.step;
        loaded.evaluations = 0;
        loaded.optimizer.set_state(state);
        loaded.objective.set_state(&header.objective.iter().map(|&bits| f64::from_bits(bits)).collect::<Vec<_>>());
        *self = loaded;
        Ok(())
    }
}

type Tensors<E> = IndexMap<String, Stored<E>>;

/// The parameters' tensors and the optimiser's, without their prefixes.
fn split<E>(tensors: Tensors<E>) -> (Tensors<E>, Tensors<E>) {
    let (mut params, mut slots) = (IndexMap::new(), IndexMap::new());
    for (name, tensor) in tensors {
        if let Some(name) = name.strip_prefix(PARAM) {
            params.insert(name.to_owned(), tensor);
        } else if let Some(name) = name.strip_prefix(SLOT) {
            slots.insert(name.to_owned(), tensor);
        }
    }
    (params, slots)
}

/// The optimiser's state; an error is the entry and what is wrong with it.
fn optimizer_state<E: Dtype>(
    header: &Header,
    params: &Tensors<E>,
    mut slots: Tensors<E>,
) -> Result<IndexMap<String, TensorState<E>>, (String, String)> {
    let mut state = IndexMap::new();
    for (name, &steps) in &header.updates {
        let mut found = Vec::new();
        while let Some((_, slot)) = slots.swap_remove(&format!("{}/{name}", found.len())) {
            let expected = params.get(name).map_or(0, |(_, values)| values.len());
            if slot.len() != expected {
                let problem = format!("it has {} elements, but its parameter has {expected}", slot.len());
                return Err((format!("{SLOT}{}/{name}", found.len()), problem));
            }
            found.push(slot);
        }
        state.insert(name.clone(), TensorState { steps, slots: found });
    }
    Ok(state)
}

/// The first parameter that the statements made and the checkpoint does not name.
fn missing<E: Dtype, D: Backend<E>>(params: &ParamStore<E, D>, header: &Header) -> Result<(), String> {
    let mut result = Ok(());
    params.each_tensor(|name, _| {
        if result.is_ok() && !header.params.iter().any(|n| n == name) {
            result = Err(name.to_owned());
        }
    });
    result
}
