//! Variables found by name, fastest in the order of a row, and which of them a run has met.

use crate::draws::Variable;

/// Finds variables by name and remembers which were found.
pub(super) struct Places<'v> {
    variables: &'v [Variable],
    met: Vec<bool>,
    /// Where the next one is, if the order is that of the row.
    next: usize,
}

impl<'v> Places<'v> {
    pub(super) fn new(variables: &'v [Variable]) -> Self {
        Places { variables, met: vec![false; variables.len()], next: 0 }
    }

    /// The variable of that name with its number, which counts as met from now on.
    pub(super) fn meet(&mut self, name: &str) -> Option<(usize, &'v Variable)> {
        let expected = self.variables.get(self.next).filter(|variable| variable.name == name).map(|_| self.next);
        let place = expected.or_else(|| self.variables.iter().position(|variable| variable.name == name))?;
        self.next = place + 1;
        self.met[place] = true;
        Some((place, &self.variables[place]))
    }

    /// The first variable that was not met.
    pub(super) fn missed(&self) -> Option<&'v Variable> {
        self.met.iter().position(|met| !met).map(|place| &self.variables[place])
    }
}
