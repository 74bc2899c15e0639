//! From the runs of a model to a graph: one table a statement, over the variables that it sees.

use std::collections::HashMap;

use ppl_core::backend::Backend;
use ppl_core::plate::Frame;
use ppl_core::site::SiteMask;
use ppl_core::{Dtype, Error, Tensor};

use super::record::Record;
use super::structure::{Known, Structure};
use super::table::{Graph, Plate, Table, Variable};

/// A graph, and where the entries of its tables come from.
#[derive(Clone, Debug)]
pub(super) struct Tables<E: Dtype, D: Backend<E>> {
    pub(super) graph: Graph,
    /// The statement of each table.
    pub(super) names: Vec<String>,
    /// The table of each variable's own statement.
    pub(super) own: Vec<usize>,
    /// For each table and each combination of its variables' values, the log-densities of a run, what they are
    /// multiplied by, and each element's place among the table's.
    pub(super) sources: Vec<Vec<Option<Source<E, D>>>>,
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

impl<E: Dtype, D: Backend<E>> Tables<E, D> {
    /// The tables of runs with all values of the colours.
    ///
    /// # Errors
    /// A statement whose elements are not those of its plates.
    pub(super) fn of(structure: &Structure, runs: &[HashMap<String, Record<E, D>>]) -> Result<Self, Error> {
        let mut plates = Plates::default();
        let of_known: Vec<Vec<usize>> = structure
            .known
            .iter()
            .map(|known| known.place.frames.iter().map(|frame| plates.number(frame)).collect())
            .collect();
        let mut numbers = vec![usize::MAX; structure.known.len()];
        let mut graph = Graph { plates: plates.plates, ..Graph::default() };
        for (at, known) in structure.known.iter().enumerate() {
            if let Some(cardinality) = known.cardinality {
                numbers[at] = graph.variables.len();
                let plates = ascending(&of_known[at]);
                graph.variables.push(Variable { name: known.name.clone(), cardinality, plates });
            }
        }
        let mut tables = Tables { graph, names: Vec::new(), own: vec![0; numbers.len()], sources: Vec::new() };
        for (at, known) in structure.known.iter().enumerate() {
            if known.cardinality.is_some() {
                tables.own[numbers[at]] = tables.names.len();
            }
            tables.add(known, &of_known[at], &numbers, structure, runs)?;
        }
        tables.own.truncate(tables.graph.variables.len());
        Ok(tables)
    }

    fn add(
        &mut self,
        known: &Known,
        plates: &[usize],
        numbers: &[usize],
        structure: &Structure,
        runs: &[HashMap<String, Record<E, D>>],
    ) -> Result<(), Error> {
        let graph = &self.graph;
        let variables: Vec<usize> = known.sees.iter().map(|&at| numbers[at]).collect();
        let sorted = ascending(plates);
        let elements = graph.elements(&sorted);
        // Row-major in the plates as they stand around the statement; in a table, as they are numbered.
        let places = (sorted != plates).then(|| graph.element_projection(&sorted, plates));
        let count = graph.assignments(&variables);
        let mut values = vec![0.0; count * elements];
        if let Some(cardinality) = known.cardinality {
            // Where no run came to the variable, it is as if it had its first value: it sees itself last.
            let rows = values.chunks_mut(elements.max(1)).enumerate();
            rows.filter(|(at, _)| at % cardinality != 0).for_each(|(_, row)| row.fill(f64::NEG_INFINITY));
        }
        let mut sources: Vec<Option<Source<E, D>>> = vec![None; count];
        let mut filled = vec![false; count];
        for (run, records) in runs.iter().enumerate() {
            let digits = structure.digits(run);
            let at = known.sees.iter().try_fold(0, |at, &seen| {
                let seen = &structure.known[seen];
                let cardinality = seen.cardinality.unwrap_or(1);
                (digits[seen.colour] < cardinality).then(|| at * cardinality + digits[seen.colour])
            });
            let Some(at) = at.filter(|&at| !filled[at]) else { continue };
            filled[at] = true;
            let Some(record) = records.get(&known.name) else { continue };
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
