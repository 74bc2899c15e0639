//! From the runs of a model to a graph: one table a statement, over the variables that it sees.

use std::collections::HashMap;

use ppl_core::backend::Backend;
use ppl_core::plate::Frame;
use ppl_core::site::SiteMask;
use ppl_core::{Dtype, Error, Tensor};

use super::record::{Record, Side};
use super::structure::{Known, Structure};
use super::table::{Graph, Plate, Table, Variable};

/// A program's factors, and where the entries of their tables come from.
#[derive(Clone, Debug)]
pub(super) struct Tables<E: Dtype, D: Backend<E>> {
    pub(super) graph: Graph,
    /// The statement of each table.
    pub(super) names: Vec<String>,
    /// For each table and each combination of its variables' values, the log-densities of a run.
    pub(super) sources: Vec<Vec<Option<Source<E, D>>>>,
    /// Of each table, whether its statement was drawn without a pathwise gradient.
    pub(super) scored: Vec<bool>,
    /// The table of each variable's statement, if this program has it.
    pub(super) own: Vec<Option<usize>>,
}

/// The log-densities of a statement in one run.
#[derive(Clone, Debug)]
pub(super) struct Source<E: Dtype, D: Backend<E>> {
    pub(super) elements: Tensor<(usize,), E, D>,
    pub(super) weight: f64,
    /// For each of the table's elements, the statement's.
    pub(super) places: Option<std::sync::Arc<[usize]>>,
}

impl<E: Dtype, D: Backend<E>> Source<E, D> {
    /// The sum of the log-densities, each times what flows to its entry.
    pub(super) fn weighed(&self, flow: &[f64]) -> Tensor<(), E, D> {
        let mut weights = vec![E::of(0.0); flow.len()];
        for (at, &flow) in flow.iter().enumerate() {
            weights[self.places.as_ref().map_or(at, |places| places[at])] = E::of(flow * self.weight);
        }
        (&self.elements * Tensor::vector(weights)).sum_all()
    }
}

/// Numbers for plates, and what is known of each.
#[derive(Default)]
struct Plates {
    numbers: HashMap<(String, Option<usize>), usize>,
    plates: Vec<Plate>,
}

impl Plates {
    fn number(&mut self, frame: &Frame) -> usize {
        let key = (frame.name.to_string(), frame.is_loop.then_some(frame.at));
        let plates = &mut self.plates;
        *self.numbers.entry(key).or_insert_with(|| {
            let (name, size) = match frame.is_loop {
                true => (format!("{}[{}]", frame.name, frame.at), 1),
                false => (frame.name.to_string(), frame.len),
            };
            plates.push(Plate { name, size, scale: frame.scale() });
            plates.len() - 1
        })
    }
}

/// What the runs left, by side and name.
pub(super) type Runs<E, D> = Vec<HashMap<(Side, String), Record<E, D>>>;

impl<E: Dtype, D: Backend<E>> Tables<E, D> {
    /// The tables of the guide's and of the model's statements, from runs with all values of the variables.
    ///
    /// # Errors
    /// A statement whose elements are not those of its plates.
    pub(super) fn of(structure: &Structure, runs: &Runs<E, D>) -> Result<[Self; 2], Error> {
        let mut plates = Plates::default();
        let numbers = |known: &Known| known.place.frames.iter().map(|frame| plates.number(frame)).collect();
        let of_known: Vec<Vec<usize>> = structure.known.iter().map(numbers).collect();
        let variables = structure.variables.iter().map(|variable| {
            let at = structure.statement(variable.side, &variable.name).expect("a variable has a statement");
            let (name, cardinality) = (variable.name.clone(), variable.cardinality);
            Variable { name, cardinality, plates: ascending(&of_known[at]) }
        });
        let graph = Graph { variables: variables.collect(), plates: plates.plates, tables: Vec::new() };
        let own = vec![None; graph.variables.len()];
        let empty = Tables { graph, names: Vec::new(), sources: Vec::new(), scored: Vec::new(), own };
        let mut sides = [empty.clone(), empty];
        for (known, plates) in structure.known.iter().zip(&of_known) {
            let side = &mut sides[known.side as usize];
            if let Some(variable) = known.variable {
                side.own[variable] = Some(side.names.len());
            }
            side.add(known, plates, structure, runs)?;
        }
        Ok(sides)
    }

    /// # Errors
    /// A log-density that is NaN or infinite.
    pub(super) fn check_finite(&self) -> Result<(), Error> {
        for (name, table) in self.names.iter().zip(&self.graph.tables) {
            if table.values.iter().any(|value| value.is_nan() || *value == f64::INFINITY) {
                let problem = "its log-density is NaN or infinite with some values of enumerated sites".into();
                return Err(Error::Site { site: name.clone(), problem });
            }
        }
        Ok(())
    }

    /// Tensors whose sum has these flows for gradients, entry by entry.
    pub(super) fn weighed(&self, flows: &[Vec<f64>]) -> Vec<Tensor<(), E, D>> {
        let mut terms = Vec::new();
        for (sources, flow) in self.sources.iter().zip(flows) {
            let elements = flow.len().checked_div(sources.len()).unwrap_or(0);
            for (source, flow) in sources.iter().zip(flow.chunks(elements.max(1))) {
                if let Some(source) = source.as_ref().filter(|_| flow.iter().any(|&weight| weight != 0.0)) {
                    terms.push(source.weighed(flow));
                }
            }
        }
        terms
    }

    fn add(&mut self, known: &Known, plates: &[usize], structure: &Structure, runs: &Runs<E, D>) -> Result<(), Error> {
        let graph = &self.graph;
        let variables = known.sees.clone();
        let sorted = ascending(plates);
        let elements = graph.elements(&sorted);
        // Row-major in the plates as they stand around the statement; in a table, as they are numbered.
        let places = (sorted != plates).then(|| graph.element_projection(&sorted, plates));
        let count = graph.assignments(&variables);
        let mut values = vec![0.0; count * elements];
        let own = known.variable.filter(|&variable| structure.variables[variable].side == known.side);
        if let Some(variable) = own {
            // Where no run came to the variable, it is as if it had its first value.
            let rows = values.chunks_mut(elements.max(1)).zip(graph.projection(&variables, &[variable]));
            rows.filter(|(_, value)| *value > 0).for_each(|(row, _)| row.fill(f64::NEG_INFINITY));
        }
        let mut scored = false;
        let mut sources: Vec<Option<Source<E, D>>> = vec![None; count];
        let mut filled = vec![false; count];
        for (run, records) in runs.iter().enumerate() {
            let digits = structure.digits(run);
            let at = variables.iter().try_fold(0, |at, &variable| {
                let cardinality = structure.variables[variable].cardinality;
                (digits[variable] < cardinality).then(|| at * cardinality + digits[variable])
            });
            let Some(at) = at.filter(|&at| !filled[at]) else { continue };
            filled[at] = true;
            let Some(record) = records.get(&(known.side, known.name.clone())) else { continue };
            scored |= own.is_none() && record.random && !record.has_rsample;
            if record.elements.numel() != elements {
                let problem = format!(
                    "it has {} elements with some values of enumerated sites, and {elements} with others",
                    record.elements.numel()
                );
                return Err(Error::Site { site: known.name.clone(), problem });
            }
            let row = &mut values[at * elements..(at + 1) * elements];
            read(record, places.as_deref(), row);
            let source = Source {
                elements: record.elements.clone(),
                weight: record.weight,
                places: places.clone().map(Into::into),
            };
            sources[at] = record.possible.then_some(source);
        }
        self.names.push(known.name.clone());
        self.scored.push(scored);
        self.graph.tables.push(Table { variables, plates: sorted, values });
        self.sources.push(sources);
        Ok(())
    }
}

/// The log-densities of a run, in the order of a table.
fn read<E: Dtype, D: Backend<E>>(record: &Record<E, D>, places: Option<&[usize]>, row: &mut [f64]) {
    if !record.possible {
        row.fill(f64::NEG_INFINITY);
        return;
    }
    // A variable that is left out counts as one of equally probable values.
    let left_out = record.cardinality.map_or(0.0, |cardinality| -(cardinality as f64).ln());
    record.elements.read(|elements| {
        for (at, value) in row.iter_mut().enumerate() {
            let from = places.map_or(at, |places| places[at]);
            let counts = match &record.mask {
                SiteMask::All(all) => *all,
                SiteMask::Elements(flags) => flags.get(from).copied().unwrap_or(true),
            };
            *value = if counts { elements[from].wide() * record.weight } else { left_out };
        }
    });
}

fn ascending(plates: &[usize]) -> Vec<usize> {
    let mut plates = plates.to_vec();
    plates.sort_unstable();
    plates
}
