//! Exact inference for discrete sites: sums over all their values, by runs of the model and variable elimination.
//!
//! Shapes are fixed, so that a value of an enumerated site is one more run and not one more axis: runs in which the sites
//! that depend on one another have every combination of their values give every factor of the joint density, as a table; the
//! sum over all assignments is then found plate by plate and variable by variable. A Markov chain with K values and history h
//! takes K^(h+1) runs, whatever its length.

use std::collections::HashMap;

use ppl_core::backend::Backend;
use ppl_core::handler::Handler;
use ppl_core::rng::Rng;
use ppl_core::trace::total;
use ppl_core::{Dtype, Error, Tensor};

// Tables of log-factors.
mod table;
// Variable elimination.
mod contraction;
// A run with given values.
mod record;
// What statements see of variables.
mod structure;
// From runs to tables.
mod tables;
// A run with values by number.
mod choose;
// Whether statements depend on what they may.
mod check;
// The posterior of discrete sites, in a model's own types.
mod infer_discrete;

pub(crate) use choose::{Choices, Choose};
pub use contraction::{Backward, Contraction, Semiring, Uncontractible};
pub use infer_discrete::InferDiscrete;
pub use table::{Graph, Plate, Table, Variable};

use record::{Assignment, Enumerate, Record};
use structure::{Known, Structure};
use tables::Tables;

/// Puts handlers of its own around the inner one, and runs the body that it is given under them, once.
pub type Wrap<'w, E, D> = dyn FnMut(&mut dyn Handler<E, D>, &mut dyn FnMut(&mut dyn Handler<E, D>)) + 'w;

/// Runs a model under what it is given, on top of the handlers of a run: the same randomness and parameters each time.
pub type Rerun<'r, E, D> = dyn FnMut(&mut Wrap<'_, E, D>) -> Result<(), Error> + 'r;

/// What a guide must know of a statement of the model.
#[derive(Clone, Debug)]
pub(crate) struct Stated {
    pub(crate) name: String,
    /// Whether the guide must draw it.
    pub(crate) latent: bool,
    pub(crate) observed: bool,
    /// The scale of the plates around it.
    pub(crate) scale: f64,
    /// Whether it is left to a sum over its values, which was not made.
    pub(crate) enumerate: bool,
}

/// All values of a model's enumerated sites, with their log-densities.
#[derive(Clone, Debug)]
pub struct Enumerated<E: Dtype, D: Backend<E>> {
    tables: Tables<E, D>,
    runs: usize,
    /// The statements that are not enumerated.
    stated: Vec<Stated>,
    /// The first site that the runs drew, if there is one.
    drawn: Option<String>,
}

impl<E: Dtype, D: Backend<E>> Enumerated<E, D> {
    /// Runs the model with all values of the sites that are marked `enumerate` and have none.
    ///
    /// # Errors
    /// Those of the runs; a site whose values cannot be listed; too many combinations; statements whose place depends on
    /// enumerated values, or whose density depends on a value that plates and chains do not let it see (found by one run more,
    /// at values drawn at random).
    pub fn of(rerun: &mut Rerun<'_, E, D>) -> Result<Self, Error> {
        Self::checked(rerun, true)
    }

    /// [`Enumerated::of`]; `check` says whether one run more looks for dependences that plates and chains do not allow.
    pub(crate) fn checked(rerun: &mut Rerun<'_, E, D>, check: bool) -> Result<Self, Error> {
        let mut structure = Structure::default();
        let mut runs: Vec<HashMap<String, Record<E, D>>> = Vec::new();
        while runs.is_empty() || runs.len() < structure.runs() {
            let records = one_run(rerun, &assignment(&structure, runs.len()))?;
            let seen = records.iter().map(|record| (record.name.as_str(), &record.place, record.cardinality));
            // The first run has the first value of each site, whatever sites there are.
            if structure.merge(seen)? && !runs.is_empty() {
                runs.truncate(1);
            } else {
                runs.push(by_name(records)?);
            }
        }
        let tables = Tables::of(&structure, &runs)?;
        if check && runs.len() > 1 {
            check::dependences(&tables, rerun)?;
        }
        let any = |known: &Known| runs.iter().find_map(|records| records.get(&known.name));
        let drawn =
            structure.known.iter().filter_map(any).find(|record| record.drawn).map(|record| record.name.clone());
        let others = structure.known.iter().filter(|known| known.cardinality.is_none());
        let stated = others.filter_map(any).map(|record| Stated {
            name: record.name.clone(),
            latent: record.latent,
            observed: record.observed,
            enumerate: false,
            scale: record.place.frames.iter().map(|frame| frame.scale()).product(),
        });
        Ok(Enumerated { tables, runs: runs.len(), stated: stated.collect(), drawn })
    }

    /// The statements that are not enumerated.
    pub(crate) fn stated(&self) -> &[Stated] {
        &self.stated
    }

    /// How many runs of the model there were.
    pub fn runs(&self) -> usize {
        self.runs
    }

    /// The factors.
    pub fn graph(&self) -> &Graph {
        &self.tables.graph
    }

    /// ln of the sum of the joint density over all values.
    ///
    /// # Errors
    /// Plates that cross; tables that are too large; no possible values.
    pub fn log_evidence(&self) -> Result<f64, Error> {
        Ok(self.contract(Semiring::Sum)?.total)
    }

    /// [`Enumerated::log_evidence`], and a tensor with its gradient (whose value is another one).
    ///
    /// # Errors
    /// As there.
    pub fn surrogate(&self) -> Result<(f64, Tensor<(), E, D>), Error> {
        Ok(self.surrogate_of(&self.contract(Semiring::Sum)?))
    }

    /// [`Enumerated::log_evidence`], where −∞ and NaN are no errors.
    pub(crate) fn log_evidence_at_all(&self) -> Result<f64, Error> {
        Ok(self.contract_at_all(Semiring::Sum)?.total)
    }

    /// [`Enumerated::surrogate`], where −∞ and NaN are no errors.
    pub(crate) fn surrogate_at_all(&self) -> Result<(f64, Tensor<(), E, D>), Error> {
        Ok(self.surrogate_of(&self.contract_at_all(Semiring::Sum)?))
    }

    fn surrogate_of(&self, contraction: &Contraction<'_>) -> (f64, Tensor<(), E, D>) {
        let mut terms = Vec::new();
        for (sources, flow) in self.tables.sources.iter().zip(contraction.backward(Backward::Gradient)) {
            let elements = flow.len().checked_div(sources.len()).unwrap_or(0);
            for (source, flow) in sources.iter().zip(flow.chunks(elements.max(1))) {
                let Some(source) = source.as_ref().filter(|_| flow.iter().any(|&weight| weight != 0.0)) else {
                    continue;
                };
                terms.push(source.weighed(flow));
            }
        }
        (contraction.total, total(terms))
    }

    /// For each enumerated site, by name, the probability of each value given the data, for each element of its plates:
    /// element by element, value by value. Of a site that some runs do not come to, they add up to the probability that one
    /// does.
    ///
    /// # Errors
    /// As [`Enumerated::log_evidence`].
    pub fn marginals(&self) -> Result<Vec<(String, Vec<Vec<f64>>)>, Error> {
        let flows = self.contract(Semiring::Sum)?.backward(Backward::Gradient);
        let mut rows = self.of_variables(&flows);
        for ((_, rows), variable) in rows.iter_mut().zip(&self.tables.graph.variables) {
            let scale: f64 = variable.plates.iter().map(|&plate| self.tables.graph.plates[plate].scale).product();
            rows.iter_mut().flatten().for_each(|flow| *flow /= scale);
        }
        Ok(rows)
    }

    /// For each enumerated site, by name, the number of its value in the most probable assignment of all sites together, for
    /// each element of its plates.
    ///
    /// # Errors
    /// As [`Enumerated::log_evidence`].
    pub fn most_probable(&self) -> Result<Vec<(String, Vec<usize>)>, Error> {
        let flows = self.contract(Semiring::Max)?.backward(Backward::Gradient);
        Ok(self.chosen(&flows))
    }

    /// For each enumerated site, by name, the number of its value in a draw from the joint posterior of all sites.
    ///
    /// # Errors
    /// As [`Enumerated::log_evidence`].
    pub fn draw(&self, rng: &mut Rng) -> Result<Vec<(String, Vec<usize>)>, Error> {
        let flows = self.contract(Semiring::Sum)?.backward(Backward::Draw(rng));
        Ok(self.chosen(&flows))
    }

    fn chosen(&self, flows: &[Vec<f64>]) -> Vec<(String, Vec<usize>)> {
        let greatest =
            |row: Vec<f64>| (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b]).then(b.cmp(&a))).unwrap_or(0);
        let rows = self.of_variables(flows).into_iter();
        rows.map(|(name, rows)| (name, rows.into_iter().map(greatest).collect())).collect()
    }

    /// What flows to each value of each variable, element by element.
    fn of_variables(&self, flows: &[Vec<f64>]) -> Vec<(String, Vec<Vec<f64>>)> {
        let graph = &self.tables.graph;
        let of = |(number, variable): (usize, &Variable)| {
            let own = self.tables.own[number];
            let elements = graph.elements(&variable.plates);
            let mut rows = vec![vec![0.0; variable.cardinality]; elements];
            let values = graph.projection(&graph.tables[own].variables, &[number]);
            for ((flow, value), source) in flows[own].chunks(elements.max(1)).zip(values).zip(&self.tables.sources[own])
            {
                if source.is_none() {
                    continue;
                }
                flow.iter().zip(&mut rows).for_each(|(flow, row)| row[value] += flow);
            }
            (variable.name.clone(), rows)
        };
        graph.variables.iter().enumerate().map(of).collect()
    }

    fn contract_at_all(&self, semiring: Semiring) -> Result<Contraction<'_>, Error> {
        self.tables.graph.contract(semiring).map_err(|why| uncontractible(&self.tables.graph, &why))
    }

    fn contract(&self, semiring: Semiring) -> Result<Contraction<'_>, Error> {
        let (graph, names) = (&self.tables.graph, &self.tables.names);
        for (name, table) in names.iter().zip(&graph.tables) {
            if table.values.iter().any(|value| value.is_nan() || *value == f64::INFINITY) {
                let problem = "its log-density is NaN or infinite with some values of enumerated sites".into();
                return Err(Error::Site { site: name.clone(), problem });
            }
        }
        let contraction = self.contract_at_all(semiring)?;
        if contraction.total > f64::NEG_INFINITY {
            return Ok(contraction);
        }
        // The first statement that is impossible whatever the values, or the first at all.
        let all = |table: &Table| table.values.iter().all(|&value| value == f64::NEG_INFINITY);
        let at = graph.tables.iter().position(all);
        let some = |table: &Table| table.values.contains(&f64::NEG_INFINITY);
        let at = at.or_else(|| graph.tables.iter().position(some)).unwrap_or(0);
        let problem =
            "the data are impossible with every assignment of the enumerated sites; it is impossible with some".into();
        Err(Error::Site { site: names[at].clone(), problem })
    }
}

fn uncontractible(graph: &Graph, why: &Uncontractible) -> Error {
    let (&site, problem) = match why {
        Uncontractible::Crossing(one, other) => {
            let [one_plates, other_plates] = [one, other].map(|&variable| {
                let plates = graph.variables[variable].plates.iter();
                plates.map(|&plate| format!("`{}`", graph.plates[plate].name)).collect::<Vec<_>>().join(", ")
            });
            let other = &graph.variables[*other].name;
            let problem = format!(
                "some statement depends on it, in {one_plates}, and on `{other}`, in {other_plates}: every element of one meets \
                 every element of the other, and their sum has no short form; enumerate one of the two, and sample the other in \
                 the guide"
            );
            (one, problem)
        }
        Uncontractible::TooLarge(variable, size) => {
            let problem = format!(
                "to sum it out needs a table of {size} numbers; declare what is independent by plates and chains"
            );
            (variable, problem)
        }
    };
    Error::Site { site: graph.variables[site].name.clone(), problem }
}

/// The value of each enumerated site in a run.
fn assignment(structure: &Structure, run: usize) -> Assignment {
    let digits = structure.digits(run);
    let variables = structure.known.iter().filter(|known| known.cardinality.is_some());
    variables.map(|known| (known.name.clone(), digits[known.colour])).collect()
}

fn one_run<E: Dtype, D: Backend<E>>(
    rerun: &mut Rerun<'_, E, D>,
    assignment: &Assignment,
) -> Result<Vec<Record<E, D>>, Error> {
    let mut records = Vec::new();
    rerun(&mut |inner, body| {
        let mut handler = Enumerate::new(inner, assignment);
        body(&mut handler);
        records = handler.records;
    })?;
    Ok(records)
}

/// # Errors
/// A name that a run has twice.
fn by_name<E: Dtype, D: Backend<E>>(records: Vec<Record<E, D>>) -> Result<HashMap<String, Record<E, D>>, Error> {
    let mut map = HashMap::with_capacity(records.len());
    for record in records {
        if let Some(twice) = map.insert(record.name.clone(), record) {
            return Err(Error::DuplicateSite(twice.name));
        }
    }
    Ok(map)
}
