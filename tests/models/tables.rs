//! The data of the reference models: columns of numbers in CSV files, in the folder that `PPL_PEERS` names, or in
//! `../shared/peers` beside the repository.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use ppl::backend::Backend;
use ppl::{Cpu, Dtype, Tensor};

/// The columns of a table, by name.
pub(crate) struct Table {
    columns: BTreeMap<String, Vec<f64>>,
}

/// The folder with the reference models' data and posteriors.
pub(crate) fn folder() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/peers");
    env::var_os("PPL_PEERS").map_or_else(beside, PathBuf::from)
}

/// A file of that folder; `None`, with a line that says so, where it is not there.
pub(crate) fn file(name: &str) -> Option<String> {
    let path = folder().join(name);
    let text = fs::read_to_string(&path);
    if text.is_err() {
        eprintln!("skipped: {} is not there; set PPL_PEERS to the folder that has it", path.display());
    }
    text.ok()
}

impl Table {
    /// The table of that name; `None` where it is not there.
    ///
    /// # Panics
    /// If the file is no table of numbers.
    pub(crate) fn read(name: &str) -> Option<Self> {
        let text = file(&format!("data/{name}.csv"))?;
        let mut lines = text.lines();
        let names: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
        let mut columns: Vec<Vec<f64>> = vec![Vec::new(); names.len()];
        for line in lines {
            let row: Vec<f64> = line.split(',').map(|cell| cell.parse().expect("a number")).collect();
            assert_eq!(row.len(), names.len(), "a cell for each column of {name}");
            columns.iter_mut().zip(row).for_each(|(column, cell)| column.push(cell));
        }
        Some(Table { columns: names.into_iter().map(str::to_owned).zip(columns).collect() })
    }

    /// The numbers of a column.
    ///
    /// # Panics
    /// If there is no such column.
    pub(crate) fn column(&self, name: &str) -> &[f64] {
        self.columns.get(name).unwrap_or_else(|| panic!("no column {name}"))
    }

    /// A column as a tensor.
    pub(crate) fn vector<E: Dtype>(&self, name: &str) -> Tensor<(usize,), E>
    where
        Cpu: Backend<E>,
    {
        Tensor::vector(self.column(name).iter().map(|&x| E::of(x)).collect())
    }
}
