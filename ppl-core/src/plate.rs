//! Plates: stretches of a model whose elements are independent, some or all of which are in a run.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::address::Address;

/// The elements of a plate that are in this run, by index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    of: Which,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Which {
    /// All of them, `0..n`.
    All(usize),
    /// Some, in this order.
    Some(Arc<[usize]>),
}

impl Rows {
    /// All elements of a plate of size `n`.
    pub fn all(n: usize) -> Self {
        Rows { of: Which::All(n) }
    }

    /// The given elements, in order.
    pub fn some(indices: impl Into<Arc<[usize]>>) -> Self {
        Rows { of: Which::Some(indices.into()) }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match &self.of {
            Which::All(n) => *n,
            Which::Some(indices) => indices.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether every element of the plate is in the run, in order.
    pub fn is_all(&self) -> bool {
        matches!(self.of, Which::All(_))
    }

    /// The indices in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + use<> {
        let of = self.of.clone();
        (0..self.len()).map(move |i| match &of {
            Which::All(_) => i,
            Which::Some(indices) => indices[i],
        })
    }

    /// Whether both have the same elements in the same order.
    pub(crate) fn same_as(&self, other: &Rows) -> bool {
        self == other || self.iter().eq(other.iter())
    }

    /// The indices, collected; what [`Tensor::gather`](crate::Tensor::gather) takes.
    pub fn to_vec(&self) -> Vec<usize> {
        self.iter().collect()
    }
}

/// Which elements a plate statement asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlateRows {
    /// All of them.
    All,
    /// A subsample of this size, drawn without replacement by the handler.
    Subsample(usize),
    /// These, chosen by the caller, as a data loader does.
    Given(Rows),
}

impl PlateRows {
    /// The elements that the caller chose: `rows = &indices`.
    pub fn given(indices: impl AsRef<[usize]>) -> Self {
        PlateRows::Given(Rows::some(indices.as_ref()))
    }
}

impl AsRef<Rows> for Rows {
    fn as_ref(&self) -> &Rows {
        self
    }
}

/// A plate statement on its way through the handlers.
#[derive(Clone, Debug)]
pub struct Plate {
    /// Its name.
    pub address: Address,
    /// How many elements it has in all.
    pub size: usize,
    /// What the statement asks for.
    pub ask: PlateRows,
    /// Whether it is a loop, which gives no axis to the sites in it.
    pub is_loop: bool,
    /// The elements of this run, once a handler has fixed them.
    pub rows: Option<Rows>,
}

/// A plate around a site.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// The plate's name.
    pub name: Arc<str>,
    /// How many elements the plate has in all.
    pub size: usize,
    /// How many of them are in this run.
    pub len: usize,
    /// Whether it is a loop, which gives no axis to the sites in it.
    pub is_loop: bool,
    /// Of a loop, how many of its elements came before the present one.
    pub at: usize,
}

impl Frame {
    /// What the log-density of a site in this plate is multiplied by: size over length.
    pub fn scale(&self) -> f64 {
        if self.len == 0 { 1.0 } else { self.size as f64 / self.len as f64 }
    }
}

/// A step of a Markov chain around a site: what comes in it depends on no chain's variable that is more than `history` steps
/// older.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// How many chains had begun in the run before this one.
    pub chain: usize,
    /// How many steps back a dependence may reach.
    pub history: usize,
    /// The steps before this one.
    pub at: usize,
}

/// The steps around a site, outermost first.
pub type Steps = SmallVec<[Step; 1]>;

/// The plates around a site, outermost first.
pub type Frames = SmallVec<[Frame; 2]>;
