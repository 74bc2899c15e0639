//! Whether statements depend on what plates and chains say that they depend on, and nothing else.

use std::collections::HashMap;

use ppl_core::backend::Backend;
use ppl_core::rng::Rng;
use ppl_core::{Dtype, Error};
use rand::Rng as _;

use super::Rerun;
use super::choose::{Choices, Choose};
use super::record::{Assignment, Enumerate, Record};
use super::tables::Tables;

/// Runs the model with values drawn at random, element by element, and compares each statement's log-densities with its table.
/// A run in which some value is not possible says nothing.
///
/// # Errors
/// A statement that depends on a variable that it does not see.
pub(super) fn dependences<E: Dtype, D: Backend<E>>(
    tables: &Tables<E, D>,
    rerun: &mut Rerun<'_, E, D>,
) -> Result<(), Error> {
    let mut rng = Rng::named(0, "check of enumeration");
    let graph = &tables.graph;
    let mut chosen: Vec<Vec<usize>> = Vec::new();
    for variable in &graph.variables {
        let elements = graph.elements(&variable.plates);
        chosen.push((0..elements).map(|_| rng.gen_range(0..variable.cardinality)).collect());
    }
    let names = graph.variables.iter().map(|variable| variable.name.clone());
    let choices: Choices = names.zip(chosen.iter().cloned()).collect();
    let (none, mut records) = (Assignment::new(), Vec::new());
    let run = rerun(false, &mut |side, inner, body| {
        let mut record = Enumerate::new(inner, side, &none);
        body(&mut Choose::new(&mut record, &choices));
        records = record.records;
    });
    if run.is_err() {
        return Ok(());
    }
    let records: HashMap<&str, &Record<E, D>> = records.iter().map(|record| (record.name.as_str(), record)).collect();
    (0..tables.names.len()).try_for_each(|number| match records.get(tables.names[number].as_str()) {
        Some(record) => compare(tables, number, record, &chosen),
        None => Ok(()),
    })
}

fn compare<E: Dtype, D: Backend<E>>(
    tables: &Tables<E, D>,
    number: usize,
    record: &Record<E, D>,
    chosen: &[Vec<usize>],
) -> Result<(), Error> {
    let (graph, table) = (&tables.graph, &tables.graph.tables[number]);
    let elements = graph.elements(&table.plates);
    if record.elements.numel() != elements {
        return Ok(());
    }
    let mut rows = vec![0; elements];
    for &variable in &table.variables {
        let Plates { cardinality, of } = plates(tables, number, variable);
        rows.iter_mut().zip(of).for_each(|(row, at)| *row = *row * cardinality + chosen[variable][at]);
    }
    let (tolerance, values) = (if E::NAME == "f64" { 1e-8 } else { 1e-3 }, record.elements.to_vec());
    for (element, row) in rows.into_iter().enumerate() {
        let Some(Some(source)) = tables.sources[number].get(row) else { continue };
        let at = source.places.as_ref().map_or(element, |places| places[element]);
        let found = values[at].wide() * record.weight;
        let expected = table.values[row * elements + element];
        let agrees = (found - expected).abs() <= tolerance * (1.0 + expected.abs()) || found == expected;
        if !agrees && counts(record, at) {
            return Err(depends(tables, number));
        }
    }
    Ok(())
}

struct Plates {
    cardinality: usize,
    /// For each of the table's elements, the variable's.
    of: Vec<usize>,
}

fn plates<E: Dtype, D: Backend<E>>(tables: &Tables<E, D>, number: usize, variable: usize) -> Plates {
    let graph = &tables.graph;
    let known = &graph.variables[variable];
    Plates { cardinality: known.cardinality, of: graph.element_projection(&graph.tables[number].plates, &known.plates) }
}

fn counts<E: Dtype, D: Backend<E>>(record: &Record<E, D>, at: usize) -> bool {
    match &record.mask {
        ppl_core::site::SiteMask::All(all) => *all,
        ppl_core::site::SiteMask::Elements(flags) => flags.get(at).copied().unwrap_or(true),
    }
}

fn depends<E: Dtype, D: Backend<E>>(tables: &Tables<E, D>, number: usize) -> Error {
    let seen =
        tables.graph.tables[number].variables.iter().map(|&variable| tables.graph.variables[variable].name.as_str());
    let seen: Vec<String> = seen.take(5).map(|name| format!("`{name}`")).collect();
    let seen = if seen.is_empty() { "no enumerated site".to_owned() } else { format!("{} alone", seen.join(", ")) };
    let problem = format!(
        "by its plates and chains it may depend on {seen}, but it depends on another one: a site in a plate is seen only in that \
         plate, and a chain's step only for as many steps as its `history`"
    );
    Error::Site { site: tables.names[number].clone(), problem }
}
