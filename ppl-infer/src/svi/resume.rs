//! Saving a run and going on with it bit for bit.

use std::path::Path;

use indexmap::IndexMap;
use ppl_core::backend::Backend;
use ppl_core::model::{Guide, IntoArgs, Model, Program};
use ppl_core::params::ParamStore;
use ppl_core::shared::Shared;
use ppl_core::{Dtype, Error};

use super::Svi;
use crate::checkpoint::{Checkpoint, CheckpointError, Header, Stored, VERSION};
use crate::elbo::Objective;
use crate::optim::{Optimizer, TensorState};

/// The names of parameters' tensors in a checkpoint.
const PARAM: &str = "param/";

/// The names of the optimiser's slots in a checkpoint: the slot's, and its parameter's.
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
        let (mut updates, mut held) = (IndexMap::new(), IndexMap::new());
        for (name, state) in self.optimizer.state().iter().filter(|(_, state)| state.steps + state.held > 0) {
            updates.insert(name.clone(), state.steps);
            if state.held > 0 {
                held.insert(name.clone(), state.held);
            }
            for (kind, slot) in self.optimizer.slots().iter().zip(&state.slots) {
                tensors.insert(slot_entry(kind, name), (vec![slot.len()], slot.clone()));
            }
        }
        let header = Header {
            version: VERSION,
            dtype: E::NAME.to_owned(),
            seed: self.seed,
            step: self.step,
            evaluations: self.evaluations,
            optimizer: self.optimizer.name().to_owned(),
            updates,
            held,
            memory: self.optimizer.memory().into_iter().map(f64::to_bits).collect(),
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
    /// If the file is missing, broken, of a newer layout, of another dtype or optimiser, an entry is
    /// missing, or has another shape than its parameter; nothing is changed then.
    pub fn load<A: Clone + Shared>(
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
        let remembered = self.objective.state().len();
        let objective: Vec<f64> = header.objective.iter().map(|&bits| f64::from_bits(bits)).collect();
        if !self.objective.accepts(&objective) {
            let problem =
                format!("it has {} numbers, but the objective's state has {remembered}", header.objective.len());
            return Err(entry("objective", problem));
        }
        let wrong = |(name, problem): Problem| entry(&name, problem);
        let (params, slots) = split(tensors);
        check_params(&header, &params).map_err(wrong)?;
        let state = optimizer_state(&header, &self.optimizer.slots(), &params, slots).map_err(wrong)?;

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
        check_met(&loaded.params, &header).map_err(wrong)?;
        loaded.step = header.step;
        loaded.evaluations = header.evaluations;
        loaded.optimizer.set_state(state);
        loaded.optimizer.set_memory(&header.memory.iter().map(|&bits| f64::from_bits(bits)).collect::<Vec<_>>());
        loaded.objective.set_state(&objective);
        *self = loaded;
        Ok(())
    }
}

type Tensors<E> = IndexMap<String, Stored<E>>;

/// An entry, and what is wrong with it.
type Problem = (String, String);

const LACKING: &str = "the file lacks it";

fn slot_entry(kind: &str, param: &str) -> String {
    format!("{SLOT}{kind}/{param}")
}

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

/// Whether the file has the parameters that its header names, and no others.
fn check_params<E>(header: &Header, params: &Tensors<E>) -> Result<(), Problem> {
    if let Some(name) = header.params.iter().find(|&name| !params.contains_key(name)) {
        return Err((format!("{PARAM}{name}"), LACKING.into()));
    }
    match params.keys().find(|name| !header.params.contains(name)) {
        Some(name) => Err((format!("{PARAM}{name}"), "the header does not name it".into())),
        None => Ok(()),
    }
}

/// The optimiser's state, with all its slots.
fn optimizer_state<E: Dtype>(
    header: &Header,
    kinds: &[&str],
    params: &Tensors<E>,
    mut slots: Tensors<E>,
) -> Result<IndexMap<String, TensorState<E>>, Problem> {
    let mut state = IndexMap::new();
    for (name, &steps) in &header.updates {
        let (_, values) = params.get(name).ok_or_else(|| (format!("{PARAM}{name}"), LACKING.to_owned()))?;
        let slots = kinds.iter().map(|kind| {
            let (_, slot) = slots
                .swap_remove(&format!("{kind}/{name}"))
                .ok_or_else(|| (slot_entry(kind, name), LACKING.to_owned()))?;
            if slot.len() == values.len() {
                return Ok(slot);
            }
            let problem = format!("it has {} elements, but its parameter has {}", slot.len(), values.len());
            Err((slot_entry(kind, name), problem))
        });
        let held = header.held.get(name).copied().unwrap_or(0);
        state.insert(name.clone(), TensorState { steps, held, slots: slots.collect::<Result<_, Problem>>()? });
    }
    match slots.keys().next() {
        Some(name) => Err((format!("{SLOT}{name}"), "the header does not name its parameter".into())),
        None => Ok(state),
    }
}

/// Whether the checkpoint has every parameter that the statements made.
fn check_met<E: Dtype, D: Backend<E>>(params: &ParamStore<E, D>, header: &Header) -> Result<(), Problem> {
    let mut result = Ok(());
    params.each_tensor(|name, _| {
        if result.is_ok() && !header.params.iter().any(|n| n == name) {
            result = Err((format!("{PARAM}{name}"), LACKING.into()));
        }
    });
    result
}
