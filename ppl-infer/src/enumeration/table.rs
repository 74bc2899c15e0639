//! Tables of log-factors: over the values of a few variables, for each element of some plates.

/// A plate of a graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Plate {
    /// Its name; of a round of a loop, with its number.
    pub name: String,
    /// How many elements are in the run.
    pub size: usize,
    /// What the sum over its elements is multiplied by: how many elements each of them stands for.
    pub scale: f64,
}

/// A variable with finitely many values, one for each element of its plates.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// The site's name.
    pub name: String,
    /// How many values it has.
    pub cardinality: usize,
    /// Its plates by number, ascending.
    pub plates: Vec<usize>,
}

/// A factor's logarithms: row-major in its variables' values, and then in its plates' elements.
#[derive(Clone, Debug, PartialEq)]
pub struct Table<N = f64> {
    /// The variables by number, ascending.
    pub variables: Vec<usize>,
    /// The plates by number, ascending.
    pub plates: Vec<usize>,
    /// The logarithms.
    pub values: Vec<N>,
}

/// Factors over variables in plates.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph<N = f64> {
    /// The plates.
    pub plates: Vec<Plate>,
    /// The variables.
    pub variables: Vec<Variable>,
    /// The factors. Each has all plates of its variables.
    pub tables: Vec<Table<N>>,
}

impl<N> Graph<N> {
    /// How many elements these plates have together.
    pub fn elements(&self, plates: &[usize]) -> usize {
        plates.iter().map(|&plate| self.plates[plate].size).product()
    }

    /// How many combinations of values these variables have; at most `usize::MAX`.
    pub fn assignments(&self, variables: &[usize]) -> usize {
        let cardinality = |&variable: &usize| self.variables[variable].cardinality;
        variables.iter().map(cardinality).fold(1, usize::saturating_mul)
    }

    /// For each combination of `of`, row-major, that of `to`, which are some of them.
    pub(super) fn projection(&self, of: &[usize], to: &[usize]) -> Vec<usize> {
        let mut strides = vec![0; of.len()];
        let mut stride = 1;
        for variable in to.iter().rev() {
            let at = of.iter().position(|known| known == variable).expect("a variable of the larger set");
            strides[at] = stride;
            stride *= self.variables[*variable].cardinality;
        }
        of.iter().zip(strides).fold(vec![0], |places, (&variable, stride)| {
            let values = 0..self.variables[variable].cardinality;
            places.iter().flat_map(|place| values.clone().map(move |value| place + value * stride)).collect()
        })
    }

    /// For each element of `of`, row-major, that of `to`, which are some of them.
    pub(super) fn element_projection(&self, of: &[usize], to: &[usize]) -> Vec<usize> {
        let mut strides = vec![0; of.len()];
        let mut stride = 1;
        for plate in to.iter().rev() {
            let at = of.iter().position(|known| known == plate).expect("a plate of the larger set");
            strides[at] = stride;
            stride *= self.plates[*plate].size;
        }
        of.iter().zip(strides).fold(vec![0], |places, (&plate, stride)| {
            places.iter().flat_map(|place| (0..self.plates[plate].size).map(move |at| place + at * stride)).collect()
        })
    }
}
