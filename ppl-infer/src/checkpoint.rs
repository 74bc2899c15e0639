//! Saving and loading in the safetensors format: written aside, synced and renamed, so that a file
//! is either the old one or the new one; read and checked as a whole before anything changes.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use ppl_core::Dtype;
use safetensors::tensor::{SafeTensors, TensorView};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::atomic_file::{Failed, replace};

/// The newest layout of checkpoints that this version reads, and the one it writes.
pub const VERSION: u32 = 1;

/// The metadata entry that holds the [`Header`].
const HEADER: &str = "ppl";

/// Why a checkpoint could not be written or read. Whatever was to be loaded into is as it was.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// A file operation failed.
    #[error("{}: {action}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was being done.
        action: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not a safetensors file, or not all of one.
    #[error("{}: not a whole checkpoint: {problem}", .path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The file was written by a newer version.
    #[error("{}: written in layout {found}; this version of ppl reads layouts up to {VERSION}", .path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// The file's layout.
        found: u32,
    },
    /// An entry does not fit what it is loaded into.
    #[error("{}: entry `{entry}`: {problem}", .path.display())]
    Entry {
        /// The file.
        path: PathBuf,
        /// The entry's name.
        entry: String,
        /// What does not fit.
        problem: String,
    },
    /// The model or guide failed while its parameters were being made.
    #[error(transparent)]
    Run(#[from] ppl_core::Error),
}

/// What a checkpoint holds beside its tensors.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The layout.
    pub version: u32,
    /// The element type of all tensors.
    pub dtype: String,
    /// The seed that all randomness comes from.
    pub seed: u64,
    /// How many steps were taken; with the seed, the state of the generator.
    pub step: u64,
    /// How many evaluations since then.
    pub evaluations: u64,
    /// The optimiser's name.
    pub optimizer: String,
    /// How often the optimiser updated each tensor.
    pub updates: IndexMap<String, u64>,
    /// How many gradients the optimiser holds of a tensor for its next update, where it does.
    #[serde(default)]
    pub held: IndexMap<String, u64>,
    /// What the optimiser remembers beside its tensors, bit for bit.
    #[serde(default)]
    pub memory: Vec<u64>,
    /// What the objective remembers, bit for bit.
    pub objective: Vec<u64>,
    /// The parameters' names, in order.
    pub params: Vec<String>,
}

/// A tensor with its sizes.
pub type Stored<E> = (Vec<usize>, Vec<E>);

/// A checkpoint in memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checkpoint<E, H = Header> {
    /// What is not a tensor; among it `version` and `dtype`.
    pub header: H,
    /// Tensors by name: of variational inference `param/<parameter>` and `optimizer/<slot>/<parameter>`.
    pub tensors: IndexMap<String, Stored<E>>,
}

impl<E: Dtype, H: Serialize + DeserializeOwned> Checkpoint<E, H> {
    /// Writes the checkpoint in the place of `path`, atomically.
    ///
    /// # Errors
    /// If a file operation fails; a file that was there before is then untouched.
    pub fn write(&self, path: &Path) -> Result<(), CheckpointError> {
        let bytes = self.to_bytes(path)?;
        replace(path, |writer| writer.write_all(&bytes)).map_err(|Failed { action, source }| io(path, action, source))
    }

    fn to_bytes(&self, path: &Path) -> Result<Vec<u8>, CheckpointError> {
        let broken = |problem: String| CheckpointError::Broken { path: path.to_owned(), problem };
        let kind = dtype::<E>();
        let data: Vec<(&String, &Vec<usize>, Vec<u8>)> =
            self.tensors.iter().map(|(name, (dims, values))| (name, dims, E::to_le_bytes(values))).collect();
        let mut views = Vec::with_capacity(data.len());
        for (name, dims, bytes) in &data {
            let view = TensorView::new(kind, (*dims).clone(), bytes).map_err(|e| broken(e.to_string()))?;
            views.push((name.as_str(), view));
        }
        let header = serde_json::to_string(&self.header).map_err(|e| broken(e.to_string()))?;
        let metadata = HashMap::from([(HEADER.to_owned(), header)]);
        safetensors::serialize(views, Some(metadata)).map_err(|e| broken(e.to_string()))
    }

    /// Reads a checkpoint and checks that it is whole, of a known layout and of this dtype.
    ///
    /// # Errors
    /// If it is not, with the path and, where there is one, the entry.
    pub fn read(path: &Path) -> Result<Self, CheckpointError> {
        let bytes = std::fs::read(path).map_err(|source| io(path, "reading", source))?;
        let broken = |problem: String| CheckpointError::Broken { path: path.to_owned(), problem };
        let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|e| broken(e.to_string()))?;
        let file = SafeTensors::deserialize(&bytes).map_err(|e| broken(e.to_string()))?;
        let header = metadata.metadata().as_ref().and_then(|m| m.get(HEADER));
        let header = header.ok_or_else(|| broken("it has no header of ppl".into()))?;
        let version: Versioned = serde_json::from_str(header).map_err(|e| broken(format!("its header: {e}")))?;
        if version.version > VERSION {
            return Err(CheckpointError::Version { path: path.to_owned(), found: version.version });
        }
        let entry = |name: &str, problem: String| {
            Err(CheckpointError::Entry { path: path.to_owned(), entry: name.to_owned(), problem })
        };
        if version.dtype != E::NAME {
            return entry("dtype", format!("saved as {}, but the parameters are {}", version.dtype, E::NAME));
        }
        let header: H = serde_json::from_str(header).map_err(|e| broken(format!("its header: {e}")))?;
        let mut tensors = IndexMap::new();
        for (name, view) in file.iter() {
            if view.dtype() != dtype::<E>() {
                return entry(name, format!("its elements are {:?}, but the parameters are {}", view.dtype(), E::NAME));
            }
            tensors.insert(name.to_owned(), (view.shape().to_vec(), E::from_le_bytes(view.data())));
        }
        Ok(Checkpoint { header, tensors })
    }
}

/// The part of a header that every layout has.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
    #[serde(default)]
    dtype: String,
}

fn dtype<E: Dtype>() -> safetensors::Dtype {
    if E::NAME == "f64" { safetensors::Dtype::F64 } else { safetensors::Dtype::F32 }
}

fn io(path: &Path, action: &'static str, source: std::io::Error) -> CheckpointError {
    CheckpointError::Io { path: path.to_owned(), action, source }
}
