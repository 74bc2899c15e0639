//! What a sampler drew: named variables, chain by chain and row by row, with what happened at each draw.
//!
//! All numbers are `f64`, whatever the model's dtype: wider holds every narrower one exactly.

use thiserror::Error as ThisError;

use crate::diagnostics::{Chains, DiagnosticsError, SamplerFigures, Summary, Warning, bfmi};

// Names, sizes and places of what is drawn.
mod variable;
// What happened at a draw.
mod stats;
// The draws of one chain.
mod chain;
// The table of a run, and what is wrong with it.
mod report;

pub use chain::{ChainDraws, DivergentStep};
pub use report::Report;
pub use stats::SampleStats;
pub use variable::{Role, Variable, layout};

/// A question about draws that they cannot answer.
#[derive(Clone, Debug, ThisError, PartialEq)]
#[non_exhaustive]
pub enum DrawsError {
    /// No variable has that name.
    #[error("no variable is called `{name}`; there are {known}")]
    NoVariable {
        /// The name that was asked for.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// The draws cannot be judged.
    #[error(transparent)]
    Diagnostics(#[from] DiagnosticsError),
}

/// The draws of all chains.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draws {
    variables: Vec<Variable>,
    chains: Vec<ChainDraws>,
}

impl Draws {
    /// Draws of these variables.
    ///
    /// # Panics
    /// If a chain's rows are not as wide as the variables together.
    pub fn new(variables: Vec<Variable>, chains: Vec<ChainDraws>) -> Self {
        let width = variables.last().map_or(0, |last| last.range.end);
        assert!(chains.iter().all(|chain| chain.width() == width), "rows are as wide as the variables together");
        Draws { variables, chains }
    }

    /// The variables, in the order of a row.
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }

    /// The chains.
    pub fn chains(&self) -> &[ChainDraws] {
        &self.chains
    }

    /// The number of chains.
    pub fn num_chains(&self) -> usize {
        self.chains.len()
    }

    /// The number of draws that every chain has: that of the shortest, where a run was interrupted.
    pub fn num_draws(&self) -> usize {
        self.chains.iter().map(ChainDraws::len).min().unwrap_or(0)
    }

    /// The variable of that name.
    ///
    /// # Errors
    /// If there is none; the error lists those that there are.
    pub fn variable(&self, name: &str) -> Result<&Variable, DrawsError> {
        self.variables.iter().find(|variable| variable.name == name).ok_or_else(|| DrawsError::NoVariable {
            name: name.to_owned(),
            known: self.variables.iter().map(|v| format!("`{}`", v.name)).collect::<Vec<_>>().join(", "),
        })
    }

    /// The draws of one number: of `mu`, or of `theta[3]`, by chain.
    ///
    /// # Errors
    /// If there is no such number.
    pub fn quantity(&self, name: &str) -> Result<Vec<Vec<f64>>, DrawsError> {
        let base = name.split('[').next().unwrap_or(name);
        // A site's own name may hold a bracket.
        let variable = self.variable(name).or_else(|_| self.variable(base))?;
        let at = variable.quantities().position(|quantity| quantity == name);
        let at = at.ok_or_else(|| DrawsError::NoVariable {
            name: name.to_owned(),
            known: format!("`{}` of sizes {:?}", variable.name, variable.dims),
        })?;
        Ok(self.columns(variable.range.start + at))
    }

    /// One number of each row, by chain.
    ///
    /// # Panics
    /// If rows have no such place.
    pub fn columns(&self, place: usize) -> Vec<Vec<f64>> {
        let draws = self.num_draws();
        self.chains.iter().map(|chain| chain.column(place).take(draws).collect()).collect()
    }

    /// All draws of a variable, chain after chain: one vector of its numbers, row-major, for each draw.
    ///
    /// # Errors
    /// If there is no such variable.
    pub fn values(&self, name: &str) -> Result<Vec<&[f64]>, DrawsError> {
        let range = self.variable(name)?.range.clone();
        let draws = self.num_draws();
        Ok(self.chains.iter().flat_map(|chain| chain.rows().take(draws)).map(|row| &row[range.clone()]).collect())
    }

    /// The table of all numbers, with intervals of probability 0.94.
    ///
    /// # Errors
    /// If there are no draws.
    pub fn summary(&self) -> Result<Summary, DrawsError> {
        self.summary_of(&self.variables.iter().map(|v| v.name.as_str()).collect::<Vec<_>>(), 0.94)
    }

    /// The table of these variables, with intervals of probability `hdi_prob`.
    ///
    /// # Errors
    /// If there is no such variable, there are no draws, or the probability is not in (0, 1].
    pub fn summary_of(&self, names: &[&str], hdi_prob: f64) -> Result<Summary, DrawsError> {
        let mut columns = Vec::new();
        for name in names {
            let variable = self.variable(name)?;
            columns
                .extend(variable.quantities().zip(variable.range.clone()).map(|(name, at)| (name, self.columns(at))));
        }
        let chains = columns
            .iter()
            .map(|(name, chains)| Ok((name, Chains::new(&chains.iter().map(Vec::as_slice).collect::<Vec<_>>())?)));
        Ok(Summary::with_hdi_prob(&chains.collect::<Result<Vec<_>, DiagnosticsError>>()?, hdi_prob)?)
    }

    /// The table of all numbers and, in words, what is wrong and what to try.
    ///
    /// # Errors
    /// If there are no draws.
    pub fn report(&self) -> Result<Report, DrawsError> {
        let summary = self.summary()?;
        let warnings = summary.warnings(&self.sampler_figures());
        Ok(Report { summary, warnings })
    }

    /// What the sampler counted, over all chains.
    pub fn sampler_figures(&self) -> SamplerFigures {
        let all = || self.chains.iter().flat_map(|chain| chain.stats());
        let energies: Vec<Vec<f64>> =
            self.chains.iter().map(|c| c.stats().iter().map(|s| s.energy).collect()).collect();
        let draws = self.num_draws();
        let energies: Vec<&[f64]> = energies.iter().map(|chain| &chain[..draws]).collect();
        let is_hamiltonian = all().any(|stats| stats.evaluations > 1);
        SamplerFigures {
            divergences: all().filter(|stats| stats.diverging).count(),
            max_depth_reached: all().filter(|stats| stats.depth_saturated).count(),
            bfmi: Chains::new(&energies).ok().filter(|_| is_hamiltonian).map_or_else(Vec::new, |e| bfmi(&e)),
        }
    }

    /// What is wrong with the run, in words; nothing where all is well.
    ///
    /// # Errors
    /// If there are no draws.
    pub fn warnings(&self) -> Result<Vec<Warning>, DrawsError> {
        Ok(self.report()?.warnings)
    }
}
