//! Families over vectors and matrices: how each is made from parameters with axes, behind one face,
//! and their cases, which come from the tables of reference values.
//!
//! A family is a row of `families/vectors.rs` or `families/matrices.rs`; every check of this folder
//! then runs on it.

use ppl_core::backend::Backend;
use ppl_core::distribution::{Distribution, ParameterError};
use ppl_core::rng::Rng;
use ppl_core::{Dtype, Shape, Tensor};
use serde_json::Value;

use crate::families::domain::Domain;
use crate::families::{Row, matrices, row, vectors};
use crate::reference::{number, rows};

// Gradients are finite differences.
mod gradients;
// Hostile parameters and values.
mod hostile;
// Log-densities and moments against the tables.
mod reference;
// Draws have the moments, the score and the pathwise gradients of their distribution.
mod sampling;

/// A distribution with one batch axis over values with axes of their own. Values, and what has
/// their shape, are flat rows.
pub(crate) trait Multivariate<E: Dtype, D: Backend<E>> {
    fn log_prob(&self, value: &Row<E, D>) -> Row<E, D>;
    fn log_prob_sum(&self, value: &Row<E, D>) -> Tensor<(), E, D>;
    fn draw(&self, rng: &mut Rng) -> Row<E, D>;
    fn has_rsample(&self) -> bool;
    fn event_dims(&self) -> Vec<usize>;
    /// The first entry that lies outside the support.
    fn outside(&self, value: &Row<E, D>) -> Option<usize>;
    fn mean(&self) -> Option<Row<E, D>>;
    fn variance(&self) -> Option<Row<E, D>>;
    fn entropy(&self) -> Option<Row<E, D>>;
    fn check_parameters(&self) -> Result<(), ParameterError>;
}

/// A distribution, with the shape of its values.
struct Face<P, S> {
    distribution: P,
    shape: S,
}

fn flat<S: Shape, E: Dtype, D: Backend<E>>(value: Tensor<S, E, D>) -> Row<E, D> {
    let n = value.numel();
    value.reshape_like(&(n,))
}

impl<P, S: Shape, E: Dtype, D: Backend<E>> Multivariate<E, D> for Face<P, S>
where
    P: Distribution<E, D, Value = Tensor<S, E, D>, Batch = (usize,)>,
{
    fn log_prob(&self, value: &Row<E, D>) -> Row<E, D> {
        self.distribution.log_prob(&value.clone().reshape_like(&self.shape))
    }
    fn log_prob_sum(&self, value: &Row<E, D>) -> Tensor<(), E, D> {
        self.distribution.log_prob_sum(&value.clone().reshape_like(&self.shape))
    }
    fn draw(&self, rng: &mut Rng) -> Row<E, D> {
        flat(self.distribution.draw(rng))
    }
    fn has_rsample(&self) -> bool {
        self.distribution.has_rsample()
    }
    fn event_dims(&self) -> Vec<usize> {
        self.distribution.event_dims()
    }
    fn outside(&self, value: &Row<E, D>) -> Option<usize> {
        self.distribution.support().violation(&value.to_vec(), &self.shape.concrete().into())
    }
    fn mean(&self) -> Option<Row<E, D>> {
        self.distribution.mean().map(flat)
    }
    fn variance(&self) -> Option<Row<E, D>> {
        self.distribution.variance().map(flat)
    }
    fn entropy(&self) -> Option<Row<E, D>> {
        self.distribution.entropy()
    }
    fn check_parameters(&self) -> Result<(), ParameterError> {
        self.distribution.check_parameters()
    }
}

pub(crate) type Boxed<E, D> = Box<dyn Multivariate<E, D>>;

/// A distribution over tensors of this shape, whose first axis is the batch.
pub(crate) fn tensors<P, S: Shape, E: Dtype, D: Backend<E>>(shape: S, distribution: P) -> Boxed<E, D>
where
    P: Distribution<E, D, Value = Tensor<S, E, D>, Batch = (usize,)>,
{
    Box::new(Face { distribution, shape })
}

/// A parameter: its sizes at one element of the batch, and the entries of all elements.
#[derive(Clone)]
pub(crate) struct Argument<E: Dtype, D: Backend<E>> {
    pub(crate) dims: Vec<usize>,
    pub(crate) entries: Row<E, D>,
}

impl<E: Dtype, D: Backend<E>> Argument<E, D> {
    /// How many elements the batch has.
    pub(crate) fn batch(&self) -> usize {
        self.entries.numel() / self.dims.iter().product::<usize>()
    }

    /// A parameter that is one number an element.
    #[allow(dead_code, reason = "for the first family with such a parameter")]
    pub(crate) fn numbers(&self) -> Row<E, D> {
        assert!(self.dims.is_empty(), "a parameter of sizes {:?}", self.dims);
        self.entries.clone()
    }

    /// A parameter that is one vector an element.
    pub(crate) fn vectors(&self) -> Tensor<(usize, usize), E, D> {
        self.entries.clone().reshape_like(&(self.batch(), self.dims[0]))
    }

    /// A parameter that is one matrix an element.
    pub(crate) fn matrices(&self) -> Tensor<(usize, usize, usize), E, D> {
        self.entries.clone().reshape_like(&(self.batch(), self.dims[0], self.dims[1]))
    }
}

/// Which entries of a value or a parameter may move, and how: along what directions slopes are tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "for the families to come")]
pub(crate) enum Entries {
    /// Each by itself.
    Free,
    /// Those of each last axis with a sum that stays.
    Simplex,
    /// With the transpose equal.
    Symmetric,
    /// Below the diagonal and on it.
    LowerTriangular,
    /// Below the diagonal and on it, where rows keep their length (to first order).
    UnitRows,
    /// None: whole numbers. Hostile numbers are tried all the same.
    Fixed,
    /// None: sizes and counts that `build` reads; no hostile numbers.
    Constant,
}

impl Entries {
    /// The directions, each as a list of (entry, slope), at the entries `at` of one element.
    pub(crate) fn directions(self, dims: &[usize], at: &[f64]) -> Vec<Vec<(usize, f64)>> {
        let columns = dims.last().copied().unwrap_or(1);
        let places = 0..at.len();
        let lower = |i: &usize| i % columns <= i / columns;
        match self {
            Entries::Free => places.map(|i| vec![(i, 1.0)]).collect(),
            Entries::Simplex => places.filter(|i| i % columns > 0).map(|i| vec![(i, 1.0), (i - 1, -1.0)]).collect(),
            Entries::Symmetric => {
                let mirrored = |i: usize| (i % columns) * columns + i / columns;
                let direction = |i| if mirrored(i) == i { vec![(i, 1.0)] } else { vec![(i, 1.0), (mirrored(i), 1.0)] };
                places.filter(lower).map(direction).collect()
            }
            Entries::LowerTriangular => places.filter(lower).map(|i| vec![(i, 1.0)]).collect(),
            Entries::UnitRows => {
                let diagonal = |i: usize| (i / columns) * (columns + 1);
                let below = places.filter(|&i| i % columns < i / columns);
                below.map(|i| vec![(i, 1.0), (diagonal(i), -at[i] / at[diagonal(i)])]).collect()
            }
            Entries::Fixed | Entries::Constant => Vec::new(),
        }
    }
}

/// A family of distributions over vectors or matrices.
pub(crate) struct Family<E: Dtype, D: Backend<E>> {
    /// Its name in the table of reference values.
    pub(crate) name: &'static str,
    /// The distribution of the parameters.
    pub(crate) build: fn(&[Argument<E, D>]) -> Boxed<E, D>,
    /// How values move.
    pub(crate) value: Entries,
    /// Names, domains of single entries, and how they move, of the parameters.
    pub(crate) parameters: &'static [(&'static str, Domain, Entries)],
    /// How many of the first sets of the table are of ordinary size, away from the domain's edges.
    pub(crate) ordinary: usize,
}

impl<E: Dtype, D: Backend<E>> Clone for Family<E, D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E: Dtype, D: Backend<E>> Copy for Family<E, D> {}

impl<E: Dtype, D: Backend<E>> Family<E, D> {
    /// `n` elements with the parameters of a case.
    pub(crate) fn filled(&self, parameters: &[Nested], n: usize) -> Boxed<E, D> {
        (self.build)(&arguments(parameters, n))
    }

    /// Its cases in the table: the first `ordinary` ones.
    pub(crate) fn ordinary_cases(&self) -> Vec<Case> {
        let own = cases().into_iter().filter(|case| case.family == self.name);
        own.take(self.ordinary).collect()
    }
}

/// The parameters of a case for `n` elements.
pub(crate) fn arguments<E: Dtype, D: Backend<E>>(parameters: &[Nested], n: usize) -> Vec<Argument<E, D>> {
    let argument = |p: &Nested| Argument { dims: p.dims.clone(), entries: row(&p.entries.repeat(n)) };
    parameters.iter().map(argument).collect()
}

/// All families.
pub(crate) fn families<E: Dtype, D: Backend<E>>() -> Vec<Family<E, D>> {
    [vectors::families(), matrices::families()].concat()
}

/// The family of a name.
pub(crate) fn family<E: Dtype, D: Backend<E>>(name: &str) -> Family<E, D> {
    families().into_iter().find(|family| family.name == name).unwrap_or_else(|| panic!("no family {name}"))
}

/// Nested lists of numbers of equal lengths.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Nested {
    pub(crate) dims: Vec<usize>,
    pub(crate) entries: Vec<f64>,
}

/// A number or nested lists of them; `None` for `null`.
fn nested(value: &Value) -> Option<Nested> {
    let Some(list) = value.as_array() else {
        return Some(Nested { dims: Vec::new(), entries: vec![number(value)?] });
    };
    let parts: Vec<Nested> = list.iter().map(nested).collect::<Option<_>>()?;
    let inner = parts.first()?.dims.clone();
    assert!(parts.iter().all(|part| part.dims == inner), "lists of different lengths in {value}");
    let dims = std::iter::once(parts.len()).chain(inner).collect();
    Some(Nested { dims, entries: parts.into_iter().flat_map(|part| part.entries).collect() })
}

/// One set of parameters of one family.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) family: String,
    pub(crate) parameters: Vec<Nested>,
    pub(crate) points: Vec<Nested>,
    pub(crate) log_prob: Vec<f64>,
    pub(crate) mean: Option<Nested>,
    pub(crate) variance: Option<Nested>,
    pub(crate) covariance: Option<Nested>,
    pub(crate) entropy: Option<Nested>,
}

impl Case {
    /// The points with a finite log-density.
    pub(crate) fn possible_points(&self) -> impl Iterator<Item = &Nested> {
        self.points.iter().zip(&self.log_prob).filter(|(_, l)| l.is_finite()).map(|(point, _)| point)
    }
}

/// All cases of both tables.
pub(crate) fn cases() -> Vec<Case> {
    let tables = [include_str!("../references/vectors.json"), include_str!("../references/matrices.json")];
    let list = |value: &Value| -> Vec<Nested> {
        value.as_array().expect("a list").iter().map(|v| nested(v).expect("numbers")).collect()
    };
    let case = |row: Value| Case {
        family: row["family"].as_str().expect("a name").into(),
        parameters: list(&row["parameters"]),
        points: list(&row["points"]),
        log_prob: list(&row["log_prob"]).into_iter().flat_map(|l| l.entries).collect(),
        mean: nested(&row["mean"]),
        variance: nested(&row["variance"]),
        covariance: nested(&row["covariance"]),
        entropy: nested(&row["entropy"]),
    };
    tables.into_iter().flat_map(rows).map(case).collect()
}
