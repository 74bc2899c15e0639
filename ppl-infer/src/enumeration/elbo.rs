//! The evidence lower bound of a guide and a model, either of which may have enumerated sites.
//!
//! With d the guide's enumerated sites, the bound is E_q(d)\[T(d)\], where T are the logarithms of the model's factors, its own
//! sites summed out, less those of the guide's. It is the derivative at 0 of F(ε) = ln Σ_d q(d) exp(ε T(d)): elimination with dual
//! numbers gives it, and its gradient in ln q and in T, at once.

use ppl_core::backend::Backend;
use ppl_core::trace::total;
use ppl_core::{Dtype, Error, Tensor};

use super::contraction::{Backward, Contraction, Semiring};
use super::number::Dual;
use super::record::Side;
use super::table::{Graph, Table};
use super::tables::Tables;
use super::{Enumerated, uncontractible};

/// The bound of one run of a guide.
#[derive(Clone, Debug)]
pub struct Elbo<E: Dtype, D: Backend<E>> {
    /// It.
    pub value: f64,
    /// A tensor with its gradient along paths and through enumerated sites (and another value).
    pub surrogate: Tensor<(), E, D>,
    /// ln q of the sites that were drawn without a pathwise gradient, not scaled; none if there are none.
    pub scores: Option<Tensor<(), E, D>>,
}

impl<E: Dtype, D: Backend<E>> Enumerated<E, D> {
    /// The bound, with its gradient.
    ///
    /// # Errors
    /// As [`Enumerated::log_evidence`]; a value that the guide proposes and the model makes impossible; in a guide with enumerated
    /// sites, a draw that depends on them and has no pathwise gradient.
    pub fn elbo(&self) -> Result<Elbo<E, D>, Error> {
        let guide = &self.sides[Side::Guide as usize];
        guide.check_finite()?;
        let model = if self.guided.contains(&true) { self.contract_kept()? } else { self.contract(Semiring::Sum)? };
        let expected = self.expected(guide, &model)?;
        let mut terms = self.model().weighed(&model.backward(Backward::Gradient, expected.of_left));
        terms.extend(guide.weighed(&expected.of_guide));
        let scores: Vec<_> = guide.scores()?;
        let scores = (!scores.is_empty()).then(|| total(scores));
        Ok(Elbo { value: model.total + expected.value, surrogate: total(terms), scores })
    }

    fn contract_kept(&self) -> Result<Contraction<'_, f64>, Error> {
        self.model().check_finite()?;
        self.contract_at_all(Semiring::Sum)
    }

    /// E_q of what the model's contraction left, less ln q.
    fn expected(&self, guide: &Tables<E, D>, model: &Contraction<'_, f64>) -> Result<Expected, Error> {
        let graph = &guide.graph;
        let own: Vec<usize> = guide.own.iter().flatten().copied().collect();
        let probabilities = own.iter().map(|&number| constant(&graph.tables[number]));
        let less = graph.tables.iter().map(|table| direction(table, -1.0));
        let left = model.left.iter().map(|(_, table)| direction(table, 1.0));
        let tables = probabilities.chain(less).chain(left).collect();
        let all = Graph { plates: graph.plates.clone(), variables: graph.variables.clone(), tables };
        let contraction = all.contract(Semiring::Sum, |_| false).map_err(|why| uncontractible(&all, &why))?;
        let mut flows = contraction.backward(Backward::Gradient, Vec::new()).into_iter();
        let of_probabilities: Vec<Vec<Dual>> = flows.by_ref().take(own.len()).collect();
        let value = |flow: Vec<Dual>| flow.into_iter().map(|flow| flow.value).collect();
        let mut of_guide: Vec<Vec<f64>> = Vec::new();
        for (flow, &scored) in flows.by_ref().take(graph.tables.len()).zip(&guide.scored) {
            // The expectation of a score is 0.
            of_guide.push(if scored { vec![0.0; flow.len()] } else { flow.iter().map(|flow| -flow.value).collect() });
        }
        for (number, flow) in own.into_iter().zip(of_probabilities) {
            of_guide[number].iter_mut().zip(flow).for_each(|(sum, flow)| *sum += flow.slope);
        }
        let of_left: Vec<Vec<f64>> = flows.map(value).collect();
        for ((_, table), flow) in model.left.iter().zip(&of_left) {
            if let Some(at) = (0..flow.len()).find(|&at| flow[at] > 0.0 && table.values[at] == f64::NEG_INFINITY) {
                return Err(self.impossible(table, at));
            }
        }
        Ok(Expected { value: contraction.total.slope, of_guide, of_left })
    }

    fn impossible(&self, table: &Table, at: usize) -> Error {
        let graph = self.graph();
        let mut row = at / graph.elements(&table.plates).max(1);
        let mut values = Vec::new();
        for &variable in table.variables.iter().rev() {
            let known = &graph.variables[variable];
            values.push(format!("`{}` = {}", known.name, row % known.cardinality));
            row /= known.cardinality;
        }
        values.reverse();
        let site = graph.variables[table.variables[0]].name.clone();
        let problem = format!(
            "the guide proposes {} (values by number) with a probability above 0, but the model makes it impossible",
            values.join(", ")
        );
        Error::Site { site, problem }
    }
}

/// The expectation, and what flows to the guide's entries, and to the tables that the model's contraction left.
struct Expected {
    value: f64,
    of_guide: Vec<Vec<f64>>,
    of_left: Vec<Vec<f64>>,
}

/// A table that does not change with ε.
fn constant(table: &Table) -> Table<Dual> {
    let values = table.values.iter().map(|&value| Dual { value, slope: 0.0 });
    Table { variables: table.variables.clone(), plates: table.plates.clone(), values: values.collect() }
}

/// ε times a table, times a sign.
fn direction(table: &Table, sign: f64) -> Table<Dual> {
    // Where it is infinite the probability is 0, or the caller finds that it is not.
    let finite = |value: f64| if value.is_finite() { sign * value } else { 0.0 };
    let values = table.values.iter().map(|&value| Dual { value: 0.0, slope: finite(value) });
    Table { variables: table.variables.clone(), plates: table.plates.clone(), values: values.collect() }
}

impl<E: Dtype, D: Backend<E>> Tables<E, D> {
    /// ln q of each scored statement.
    ///
    /// # Errors
    /// One that depends on enumerated sites.
    fn scores(&self) -> Result<Vec<Tensor<(), E, D>>, Error> {
        let mut scores = Vec::new();
        for (number, _) in self.scored.iter().enumerate().filter(|(_, scored)| **scored) {
            if !self.graph.tables[number].variables.is_empty() {
                let problem = "it may depend on an enumerated site of the guide, and is drawn without a pathwise gradient; \
                               enumerate it too, or put it before the enumerated sites";
                return Err(Error::Site { site: self.names[number].clone(), problem: problem.into() });
            }
            scores.extend(self.sources[number].iter().flatten().map(|source| source.elements.sum_all()));
        }
        Ok(scores)
    }
}
