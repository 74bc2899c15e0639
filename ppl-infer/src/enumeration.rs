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

// Numbers with and without derivatives.
mod number;
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
// The bound with enumerated sites in the guide.
mod elbo;
// A run with values by number.
mod choose;
// Whether statements depend on what they may.
mod check;
// The posterior of discrete sites, in a model's own types.
mod infer_discrete;

pub(crate) use choose::{Choices, Choose};
pub use contraction::{Backward, Contraction, Semiring, Uncontractible};
pub use infer_discrete::InferDiscrete;
pub use number::{Dual, Number};
pub use table::{Graph, Plate, Table, Variable};

pub use elbo::Elbo;
pub use record::Side;

use record::{Assignment, Enumerate, Record};
use structure::{Known, Structure};
use tables::{Runs, Tables};

/// Puts handlers of its own around the inner one, and runs the body that it is given under them, once.
pub type Wrap<'w, E, D> = dyn FnMut(Side, &mut dyn Handler<E, D>, &mut dyn FnMut(&mut dyn Handler<E, D>)) + 'w;

/// Runs a model under what it is given, on top of the handlers of a run: the same randomness and parameters each time. Where a
/// guide proposes values, it runs before, the first time and when the flag says so.
pub type Rerun<'r, E, D> = dyn FnMut(bool, &mut Wrap<'_, E, D>) -> Result<(), Error> + 'r;

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
    /// The guide's factors, and the model's.
    sides: [Tables<E, D>; 2],
    /// Of each variable, whether it is the guide's.
    guided: Vec<bool>,
    runs: usize,
    /// The model's statements that are not enumerated.
    stated: Vec<Stated>,
    /// The first of them that was drawn, if there is one.
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
        let mut runs: Runs<E, D> = Vec::new();
        while runs.is_empty() || runs.len() < structure.runs() {
            let guide = runs.is_empty() || structure.guide_enumerates();
            let records = one_run(rerun, guide, &assignment(&structure, runs.len()))?;
            // The first run has the first value of each site, whatever sites there are.
            if structure.merge(&records)? && !runs.is_empty() {
                runs.truncate(1);
            } else {
                runs.push(by_name(records)?);
            }
        }
        let sides = Tables::of(&structure, &runs)?;
        if check && runs.len() > 1 && !structure.guide_enumerates() {
            check::dependences(&sides[Side::Model as usize], rerun)?;
        }
        let of_model = structure.known.iter().filter(|known| known.side == Side::Model);
        let any = |known: &Known| runs.iter().find_map(|records| records.get(&(known.side, known.name.clone())));
        let others: Vec<&Record<E, D>> =
            of_model.filter_map(any).filter(|record| record.cardinality.is_none()).collect();
        let stated = others.iter().map(|record| Stated {
            name: record.name.clone(),
            latent: record.latent,
            observed: record.observed,
            enumerate: false,
            scale: record.place.frames.iter().map(|frame| frame.scale()).product(),
        });
        Ok(Enumerated {
            stated: stated.collect(),
            drawn: others.iter().find(|record| record.drawn).map(|record| record.name.clone()),
            guided: structure.variables.iter().map(|variable| variable.side == Side::Guide).collect(),
            runs: runs.len(),
            sides,
        })
    }

    /// The model's statements that are not enumerated.
    pub(crate) fn stated(&self) -> &[Stated] {
        &self.stated
    }

    /// How many runs of the model there were.
    pub fn runs(&self) -> usize {
        self.runs
    }

    fn model(&self) -> &Tables<E, D> {
        &self.sides[Side::Model as usize]
    }

    /// The model's factors.
    pub fn graph(&self) -> &Graph {
        &self.model().graph
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

    fn surrogate_of(&self, contraction: &Contraction<'_, f64>) -> (f64, Tensor<(), E, D>) {
        let flows = contraction.backward(Backward::Gradient, Vec::new());
        (contraction.total, total(self.model().weighed(&flows)))
    }

    /// For each enumerated site, by name, the probability of each value given the data, for each element of its plates:
    /// element by element, value by value. Of a site that some runs do not come to, they add up to the probability that one
    /// does.
    ///
    /// # Errors
    /// As [`Enumerated::log_evidence`].
    pub fn marginals(&self) -> Result<Vec<(String, Vec<Vec<f64>>)>, Error> {
        let flows = self.contract(Semiring::Sum)?.backward(Backward::Gradient, Vec::new());
        let mut rows = self.of_variables(&flows);
        for ((_, rows), variable) in rows.iter_mut().zip(&self.graph().variables) {
            let scale: f64 = variable.plates.iter().map(|&plate| self.graph().plates[plate].scale).product();
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
        let flows = self.contract(Semiring::Max)?.backward(Backward::Gradient, Vec::new());
        Ok(self.chosen(&flows))
    }

    /// For each enumerated site, by name, the number of its value in a draw from the joint posterior of all sites.
    ///
    /// # Errors
    /// As [`Enumerated::log_evidence`].
    pub fn draw(&self, rng: &mut Rng) -> Result<Vec<(String, Vec<usize>)>, Error> {
        let flows = self.contract(Semiring::Sum)?.backward(Backward::Draw(rng), Vec::new());
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
        let (graph, tables) = (self.graph(), self.model());
        let of = |(number, variable): (usize, &Variable)| {
            let own = tables.own[number]?;
            let elements = graph.elements(&variable.plates);
            let mut rows = vec![vec![0.0; variable.cardinality]; elements];
            let values = graph.projection(&graph.tables[own].variables, &[number]);
            for ((flow, value), source) in flows[own].chunks(elements.max(1)).zip(values).zip(&tables.sources[own]) {
                if source.is_none() {
                    continue;
                }
                flow.iter().zip(&mut rows).for_each(|(flow, row)| row[value] += flow);
            }
            Some((variable.name.clone(), rows))
        };
        graph.variables.iter().enumerate().filter_map(of).collect()
    }

    /// The model's variables eliminated; those of the guide are kept.
    fn contract_at_all(&self, semiring: Semiring) -> Result<Contraction<'_, f64>, Error> {
        let graph = self.graph();
        graph.contract(semiring, |variable| self.guided[variable]).map_err(|why| uncontractible(graph, &why))
    }

    fn contract(&self, semiring: Semiring) -> Result<Contraction<'_, f64>, Error> {
        self.model().check_finite()?;
        let (graph, names) = (self.graph(), &self.model().names);
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

fn uncontractible<N>(graph: &Graph<N>, why: &Uncontractible) -> Error {
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
    structure.variables.iter().map(|variable| variable.name.clone()).zip(structure.digits(run)).collect()
}

fn one_run<E: Dtype, D: Backend<E>>(
    rerun: &mut Rerun<'_, E, D>,
    guide: bool,
    assignment: &Assignment,
) -> Result<Vec<Record<E, D>>, Error> {
    let mut records = Vec::new();
    rerun(guide, &mut |side, inner, body| {
        let mut handler = Enumerate::new(inner, side, assignment);
        body(&mut handler);
        records.extend(handler.records);
    })?;
    Ok(records)
}

/// # Errors
/// A name that a run has twice.
fn by_name<E: Dtype, D: Backend<E>>(
    records: Vec<Record<E, D>>,
) -> Result<HashMap<(Side, String), Record<E, D>>, Error> {
    let mut map = HashMap::with_capacity(records.len());
    for record in records {
        if let Some(twice) = map.insert((record.side, record.name.clone()), record) {
            return Err(Error::DuplicateSite(twice.name));
        }
    }
    Ok(map)
}
