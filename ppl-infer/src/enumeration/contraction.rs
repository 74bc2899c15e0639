//! Variable elimination over plates: all variables of a graph summed out, or maximised.
//!
//! Obermeyer et al., *Tensor Variable Elimination for Plated Factor Graphs* (ICML 2019): variables in the most plates go first;
//! a factor whose variables stand outside of one of its plates becomes the product over that plate.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use ppl_core::rng::Rng;
use rand::Rng as _;

use super::number::Number;
use super::table::{Graph, Table};

/// What is done with a variable's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Semiring {
    /// Their factors are summed.
    Sum,
    /// The greatest is taken.
    Max,
}

/// Why a graph cannot be contracted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Uncontractible {
    /// Every element of one variable meets every element of another.
    Crossing(usize, usize),
    /// A table would have so many numbers when the variable goes.
    TooLarge(usize, usize),
}

/// The most numbers that a table may have.
const LARGEST: usize = 1 << 27;

/// One step of an elimination.
#[derive(Clone, Debug)]
enum Step<N> {
    /// A table became its product over some plates.
    Reduce { from: usize, to: usize },
    /// A variable went.
    Eliminate {
        /// The tables that had it.
        inputs: Vec<usize>,
        /// All their variables: those that stay, ascending, and then the one that went.
        joint: Vec<usize>,
        /// What share of the output each value of the joint table has.
        shares: Vec<N>,
        output: usize,
    },
}

/// How a graph was contracted.
#[derive(Clone, Debug)]
pub struct Contraction<'g, N> {
    graph: &'g Graph<N>,
    /// The tables that came about, after those of the graph; without values.
    made: Vec<Table<N>>,
    steps: Vec<Step<N>>,
    /// What is left: tables over variables that were kept, by number.
    pub left: Vec<(usize, Table<N>)>,
    /// ln of the sum (the maximum) over all values of all variables that were not kept, without what is left.
    pub total: N,
}

/// What flows back from the total.
pub enum Backward<'r> {
    /// The derivative of the total: with [`Semiring::Sum`] the expected number of times that an entry is in force, with
    /// [`Semiring::Max`] one where the greatest assignment has it. Plates count with their scales.
    Gradient,
    /// One where a draw from the variables' joint distribution has the entry.
    Draw(&'r mut Rng),
}

struct Eliminator<'g, N> {
    graph: &'g Graph<N>,
    /// The tables that are left, by number, with those that came about.
    alive: Vec<Option<Table<N>>>,
    /// The tables of each variable.
    of: Vec<Vec<usize>>,
    steps: Vec<Step<N>>,
    made: Vec<Table<N>>,
}

impl<N: Number> Graph<N> {
    /// Sums over, or maximises, all variables but those that `keeps` names.
    ///
    /// # Errors
    /// Variables in plates of which neither stands in the other's, with a factor of both; tables that are too large.
    pub fn contract(
        &self,
        semiring: Semiring,
        keeps: impl Fn(usize) -> bool,
    ) -> Result<Contraction<'_, N>, Uncontractible> {
        let mut of = vec![Vec::new(); self.variables.len()];
        for (number, table) in self.tables.iter().enumerate() {
            table.variables.iter().for_each(|&variable| of[variable].push(number));
        }
        let alive = self.tables.iter().cloned().map(Some).collect();
        let mut run = Eliminator { graph: self, alive, of, steps: Vec::new(), made: Vec::new() };
        run.all(semiring, keeps)?;
        let total = run.constants();
        let left = run.alive.into_iter().enumerate().filter_map(|(number, table)| Some((number, table?))).collect();
        Ok(Contraction { graph: self, made: run.made, steps: run.steps, left, total })
    }
}

impl<N: Number> Eliminator<'_, N> {
    fn all(&mut self, semiring: Semiring, keeps: impl Fn(usize) -> bool) -> Result<(), Uncontractible> {
        let entry = |run: &Self, v: usize| (run.graph.variables[v].plates.len(), Reverse((run.cost(v), v)));
        let mut heap: BinaryHeap<_> = (0..self.of.len()).map(|v| entry(self, v)).collect();
        let mut gone: Vec<bool> = (0..self.of.len()).map(|v| keeps(v) || self.of[v].is_empty()).collect();
        while let Some((plates, Reverse((cost, v)))) = heap.pop() {
            if gone[v] {
                continue;
            }
            if cost != self.cost(v) {
                heap.push((plates, Reverse((self.cost(v), v))));
                continue;
            }
            gone[v] = true;
            for neighbour in self.eliminate(v, semiring)? {
                heap.push(entry(self, neighbour));
            }
        }
        Ok(())
    }

    /// How many combinations of values the table has that the variable's elimination makes.
    fn cost(&self, variable: usize) -> usize {
        self.graph.assignments(&self.joint(variable))
    }

    /// The variables of the tables that have this one: the others, ascending, and then it.
    fn joint(&self, variable: usize) -> Vec<usize> {
        let tables = self.of[variable].iter().filter_map(|&number| self.alive[number].as_ref());
        let mut others: Vec<usize> =
            tables.flat_map(|table| &table.variables).copied().filter(|&v| v != variable).collect();
        others.sort_unstable();
        others.dedup();
        others.push(variable);
        others
    }

    fn eliminate(&mut self, variable: usize, semiring: Semiring) -> Result<Vec<usize>, Uncontractible> {
        let plates = self.graph.variables[variable].plates.clone();
        let inputs = std::mem::take(&mut self.of[variable]);
        let inputs = inputs.into_iter().map(|number| self.within(number, variable, &plates));
        let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
        self.of[variable].clone_from(&inputs);
        let joint = self.joint(variable);
        let (all, elements) = (self.graph.assignments(&joint), self.graph.elements(&plates));
        if all.saturating_mul(elements) > LARGEST {
            return Err(Uncontractible::TooLarge(variable, all.saturating_mul(elements)));
        }
        let mut shares = vec![N::constant(0.0); all * elements];
        for &number in &inputs {
            let table = self.alive[number].take().expect("the table of a variable that is left");
            for (row, from) in shares.chunks_mut(elements.max(1)).zip(self.graph.projection(&joint, &table.variables)) {
                let values = &table.values[from * elements..(from + 1) * elements];
                row.iter_mut().zip(values).for_each(|(sum, value)| *sum += *value);
            }
        }
        let values = outward(&mut shares, self.graph.variables[variable].cardinality, elements, semiring);
        let others = joint[..joint.len() - 1].to_vec();
        for &other in &others {
            self.of[other].retain(|number| !inputs.contains(number));
        }
        let output = self.push(Table { variables: others.clone(), plates, values });
        self.steps.push(Step::Eliminate { inputs, joint, shares, output });
        Ok(others)
    }

    /// The table, or its product over the plates that none of its variables stands in, which are then those of `variable`.
    fn within(&mut self, number: usize, variable: usize, plates: &[usize]) -> Result<usize, Uncontractible> {
        let table = self.alive[number].as_ref().expect("the table of a variable that is left");
        let needed = |plate: &usize| {
            table.variables.iter().copied().find(|&other| self.graph.variables[other].plates.contains(plate))
        };
        let beyond = table.plates.iter().filter(|plate| !plates.contains(plate));
        if let Some(other) = beyond.clone().find_map(needed) {
            return Err(Uncontractible::Crossing(variable, other));
        }
        Ok(if beyond.count() == 0 { number } else { self.reduce(number, plates) })
    }

    /// The product of a table over all plates but these.
    fn reduce(&mut self, number: usize, plates: &[usize]) -> usize {
        let table = self.alive[number].take().expect("a table that is left");
        let (elements, kept) = (self.graph.elements(&table.plates), self.graph.elements(plates));
        let to = self.graph.element_projection(&table.plates, plates);
        let scale: f64 =
            table.plates.iter().filter(|plate| !plates.contains(plate)).map(|&p| self.graph.plates[p].scale).product();
        let mut values = vec![N::constant(0.0); self.graph.assignments(&table.variables) * kept];
        for (sums, row) in values.chunks_mut(kept.max(1)).zip(table.values.chunks(elements.max(1))) {
            row.iter().zip(&to).for_each(|(value, &at)| sums[at] += *value);
        }
        values.iter_mut().for_each(|value| *value = *value * scale);
        let variables = table.variables.clone();
        for &variable in &variables {
            self.of[variable].retain(|&known| known != number);
        }
        let to = self.push(Table { variables, plates: plates.to_vec(), values });
        self.steps.push(Step::Reduce { from: number, to });
        to
    }

    fn push(&mut self, table: Table<N>) -> usize {
        let number = self.alive.len();
        table.variables.iter().for_each(|&variable| self.of[variable].push(number));
        self.made.push(Table { variables: table.variables.clone(), plates: table.plates.clone(), values: Vec::new() });
        self.alive.push(Some(table));
        number
    }

    /// The sum of all tables without variables.
    fn constants(&mut self) -> N {
        let mut total = N::constant(0.0);
        for number in 0..self.alive.len() {
            let Some(table) = self.alive[number].as_ref().filter(|table| table.variables.is_empty()) else { continue };
            let last = if table.plates.is_empty() { number } else { self.reduce(number, &[]) };
            if let Some(table) = self.alive[last].take() {
                total += table.values[0];
            }
        }
        total
    }
}

/// Sums or maximises the last variable of a joint table; the table becomes the shares of its values in the result.
fn outward<N: Number>(joint: &mut [N], cardinality: usize, elements: usize, semiring: Semiring) -> Vec<N> {
    let block = (cardinality * elements).max(1);
    let mut result = Vec::with_capacity(joint.len() / cardinality.max(1));
    for rows in joint.chunks_mut(block) {
        for element in 0..elements {
            let at = |value: usize| value * elements + element;
            let greater = |best: usize, value: usize| {
                if rows[at(value)].value() > rows[at(best)].value() { value } else { best }
            };
            let first = (0..cardinality).fold(0, greater);
            let best = rows[at(first)];
            let found = match semiring {
                Semiring::Sum if best.value() > f64::NEG_INFINITY => {
                    let mut sum = N::constant(0.0);
                    (0..cardinality).for_each(|value| sum += (rows[at(value)] + N::constant(-best.value())).exp());
                    sum.ln() + N::constant(best.value())
                }
                _ => best,
            };
            for value in 0..cardinality {
                rows[at(value)] = match semiring {
                    Semiring::Max => N::constant(f64::from(u8::from(value == first))),
                    // Where nothing is possible, nothing has a share.
                    Semiring::Sum if found.value() == f64::NEG_INFINITY => N::constant(0.0),
                    Semiring::Sum => (rows[at(value)] + found * -1.0).exp(),
                };
            }
            result.push(found);
        }
    }
    result
}

impl<N: Number> Contraction<'_, N> {
    fn shape(&self, number: usize) -> &Table<N> {
        let tables = &self.graph.tables;
        tables.get(number).unwrap_or_else(|| &self.made[number - tables.len()])
    }

    /// For each entry of each of the graph's tables, what flows back to it from the total, and from what is left with these flows.
    pub fn backward(&self, mut mode: Backward<'_>, left: Vec<Vec<N>>) -> Vec<Vec<N>> {
        let count = self.graph.tables.len() + self.made.len();
        let size = |number: usize| {
            let shape = self.shape(number);
            self.graph.assignments(&shape.variables) * self.graph.elements(&shape.plates)
        };
        let mut flows: Vec<Vec<N>> = (0..count).map(|number| vec![N::constant(0.0); size(number)]).collect();
        // All that nothing was made of is in the total, or is left.
        let mut used = vec![false; count];
        for step in &self.steps {
            match step {
                Step::Reduce { from, .. } => used[*from] = true,
                Step::Eliminate { inputs, .. } => inputs.iter().for_each(|&input| used[input] = true),
            }
        }
        (0..count).filter(|&number| !used[number]).for_each(|number| flows[number].fill(N::constant(1.0)));
        for ((number, _), flow) in self.left.iter().zip(left) {
            flows[*number] = flow;
        }
        for step in self.steps.iter().rev() {
            match step {
                Step::Reduce { from, to } => self.spread(*from, *to, &mode, &mut flows),
                Step::Eliminate { inputs, joint, shares, output } => {
                    let flow = std::mem::take(&mut flows[*output]);
                    let elements = self.graph.elements(&self.shape(*output).plates);
                    let cardinality = self.graph.variables[joint[joint.len() - 1]].cardinality;
                    let back = inward(&flow, shares, cardinality, elements, &mut mode);
                    for &input in inputs {
                        let rows = self.graph.projection(joint, &self.shape(input).variables);
                        for (row, to) in back.chunks(elements.max(1)).zip(rows) {
                            let sums = &mut flows[input][to * elements..(to + 1) * elements];
                            sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += *value);
                        }
                    }
                }
            }
        }
        flows.truncate(self.graph.tables.len());
        flows
    }

    /// Back over a product of plates.
    fn spread(&self, from: usize, to: usize, mode: &Backward<'_>, flows: &mut [Vec<N>]) {
        let (outer, inner) = (self.shape(from), self.shape(to));
        let gone = outer.plates.iter().filter(|plate| !inner.plates.contains(plate));
        let scale: f64 = match mode {
            Backward::Gradient => gone.map(|&plate| self.graph.plates[plate].scale).product(),
            Backward::Draw(_) => 1.0,
        };
        let (elements, kept) = (self.graph.elements(&outer.plates), self.graph.elements(&inner.plates));
        let places = self.graph.element_projection(&outer.plates, &inner.plates);
        let flow = std::mem::take(&mut flows[to]);
        for (sums, row) in flows[from].chunks_mut(elements.max(1)).zip(flow.chunks(kept.max(1))) {
            sums.iter_mut().zip(&places).for_each(|(sum, &at)| *sum += row[at] * scale);
        }
    }
}

/// Back over the values of a variable, by their shares.
fn inward<N: Number>(flow: &[N], shares: &[N], cardinality: usize, elements: usize, mode: &mut Backward<'_>) -> Vec<N> {
    let mut back = vec![N::constant(0.0); shares.len()];
    let block = (cardinality * elements).max(1);
    let rows = back.chunks_mut(block).zip(shares.chunks(block)).zip(flow.chunks(elements.max(1)));
    for ((back, shares), flow) in rows {
        for (element, &flow) in flow.iter().enumerate() {
            let at = |value: usize| value * elements + element;
            match mode {
                Backward::Gradient => (0..cardinality).for_each(|value| back[at(value)] = flow * shares[at(value)]),
                Backward::Draw(_) if flow.value() == 0.0 => {}
                Backward::Draw(rng) => {
                    let mut rest = rng.gen_range(0.0..1.0);
                    let drawn = (0..cardinality).find(|&value| {
                        rest -= shares[at(value)].value();
                        rest < 0.0
                    });
                    // The shares add up to 1 but for rounding.
                    let likely = || (0..cardinality).rev().find(|&value| shares[at(value)].value() > 0.0);
                    if let Some(value) = drawn.or_else(likely) {
                        back[at(value)] = flow;
                    }
                }
            }
        }
    }
    back
}
