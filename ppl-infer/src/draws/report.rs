//! The table of a run, and what is wrong with it.

use std::fmt;

use crate::diagnostics::{Summary, Warning};

/// The table of a run and what is wrong with it; printed, the table with a sentence below for each warning, which says
/// what to try.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The table.
    pub summary: Summary,
    /// What is wrong; nothing where all is well.
    pub warnings: Vec<Warning>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.summary)?;
        self.warnings.iter().try_for_each(|warning| write!(f, "\n{warning}"))
    }
}
