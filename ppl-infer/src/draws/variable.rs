//! Names, sizes and places of what is drawn.

use std::ops::Range;

/// What a variable is in its model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A latent site: inference found its value.
    Latent,
    /// A deterministic site: its value was computed from others.
    Deterministic,
    /// A site with data: its value was drawn anew, as a prediction of data.
    Predicted,
}

/// A variable, and its place in a row of numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its full name.
    pub name: String,
    /// Its sizes; empty for a number.
    pub dims: Vec<usize>,
    /// What it is in its model.
    pub role: Role,
    /// Its numbers in a row, in row-major order.
    pub range: Range<usize>,
}

/// Variables one behind the other in a row: by name, sizes and role.
pub fn layout(variables: impl IntoIterator<Item = (String, Vec<usize>, Role)>) -> Vec<Variable> {
    let mut start = 0;
    let place = |(name, dims, role): (String, Vec<usize>, Role)| {
        let range = start..start + dims.iter().product::<usize>();
        start = range.end;
        Variable { name, dims, role, range }
    };
    variables.into_iter().map(place).collect()
}

impl Variable {
    /// The names of its numbers, in row-major order: `mu`, or `theta[0]`, `theta[1]`, or `w[0, 0]`, `w[0, 1]`, as in
    /// ArviZ.
    pub fn quantities(&self) -> impl Iterator<Item = String> + '_ {
        (0..self.range.len()).map(|at| {
            let indices = self.indices(at);
            if indices.is_empty() { self.name.clone() } else { format!("{}[{}]", self.name, join(&indices)) }
        })
    }

    /// The indices of its number at a place in row-major order.
    pub fn indices(&self, at: usize) -> Vec<usize> {
        let mut rest = at;
        let mut indices: Vec<usize> = self
            .dims
            .iter()
            .rev()
            .map(|&size| {
                let index = rest % size;
                rest /= size;
                index
            })
            .collect();
        indices.reverse();
        indices
    }
}

fn join(indices: &[usize]) -> String {
    indices.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_names_in_row_major_order() {
        let of = |name: &str, dims: &[usize]| (name.to_owned(), dims.to_vec(), Role::Latent);
        let variables = layout([of("mu", &[]), of("w", &[2, 3]), of("empty", &[0]), of("theta", &[2])]);
        let names: Vec<String> = variables.iter().flat_map(Variable::quantities).collect();
        let expected = ["mu", "w[0, 0]", "w[0, 1]", "w[0, 2]", "w[1, 0]", "w[1, 1]", "w[1, 2]", "theta[0]", "theta[1]"];
        assert_eq!(names, expected);
        assert_eq!(variables.iter().map(|v| v.range.clone()).collect::<Vec<_>>(), [0..1, 1..7, 7..7, 7..9]);
    }
}
