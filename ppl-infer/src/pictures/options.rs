//! What a picture shows, and why it cannot.

use std::path::PathBuf;

use thiserror::Error;

use crate::diagnostics::DiagnosticsError;
use crate::draws::{Draws, DrawsError};

/// What a picture shows.
#[derive(Clone, Debug, PartialEq)]
pub struct PictureOptions {
    /// Variables (`theta`, all numbers of it) and single numbers (`theta[3]`); none stands for all variables.
    pub variables: Vec<String>,
    /// A line above all; by default there is none.
    pub title: Option<String>,
    /// At most so many quantities, which the picture must have room for; by default 40, of pairs 8.
    pub max_quantities: Option<usize>,
    /// The bins of histograms of ranks; by default 20.
    pub rank_bins: usize,
}

impl Default for PictureOptions {
    fn default() -> Self {
        PictureOptions { variables: Vec::new(), title: None, max_quantities: None, rank_bins: 20 }
    }
}

impl PictureOptions {
    /// A picture of these variables and numbers.
    pub fn of<S: Into<String>>(variables: impl IntoIterator<Item = S>) -> Self {
        PictureOptions { variables: variables.into_iter().map(Into::into).collect(), ..Self::default() }
    }
}

/// Why a picture could not be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PictureError {
    /// There is no variable or number of that name.
    #[error(transparent)]
    Draws(#[from] DrawsError),
    /// There are no draws to show.
    #[error(transparent)]
    Diagnostics(#[from] DiagnosticsError),
    /// No quantity is to be shown.
    #[error("there is nothing to show: the variables have no numbers")]
    Nothing,
    /// There is no room for so many.
    #[error("{found} quantities are to be shown, but at most {limit} are shown together; choose some with `variables`")]
    TooMany {
        /// How many were asked for.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A number cannot be shown.
    #[error("draw {draw} of chain {chain} of `{name}` is {value}; only finite numbers below 1e300 can be shown")]
    Value {
        /// The quantity.
        name: String,
        /// The chain, counted from 0.
        chain: usize,
        /// The draw, counted from 0.
        draw: usize,
        /// The number.
        value: f64,
    },
    /// There must be a bin.
    #[error("a histogram of ranks needs at least one bin")]
    NoBins,
    /// The drawing library failed.
    #[error("the picture cannot be drawn: {0}")]
    Draw(String),
    /// The file's name does not end in a format that can be written.
    #[error("{}: the name must end in `.svg`{}", .0.display(), if cfg!(feature = "pictures-png") { " or `.png`" } else { ", or in `.png` with the feature `pictures-png`" })]
    Format(PathBuf),
    /// The file cannot be written.
    #[error("{}: cannot be written: {source}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// A quantity's draws.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Quantity {
    pub(super) name: String,
    pub(super) chains: Vec<Vec<f64>>,
}

/// The quantities to show, each with at least one finite draw a chain.
pub(super) fn quantities(draws: &Draws, options: &PictureOptions, limit: usize) -> Result<Vec<Quantity>, PictureError> {
    check_draws(draws)?;
    let all: Vec<String> = draws.variables().iter().map(|variable| variable.name.clone()).collect();
    let asked = if options.variables.is_empty() { &all } else { &options.variables };
    let mut found = Vec::new();
    for name in asked {
        match draws.variable(name) {
            Ok(variable) => {
                let numbers = variable.quantities().zip(variable.range.clone());
                found.extend(numbers.map(|(name, at)| Quantity { name, chains: draws.columns(at) }));
            }
            Err(_) => found.push(Quantity { name: name.clone(), chains: draws.quantity(name)? }),
        }
    }
    let limit = options.max_quantities.unwrap_or(limit);
    if found.is_empty() {
        return Err(PictureError::Nothing);
    }
    if found.len() > limit {
        return Err(PictureError::TooMany { found: found.len(), limit });
    }
    found.iter().try_for_each(|quantity| check_values(&quantity.name, &quantity.chains))?;
    Ok(found)
}

/// # Errors
/// If there are no chains, or a chain has no draws.
pub(super) fn check_draws(draws: &Draws) -> Result<(), PictureError> {
    if draws.num_chains() == 0 {
        return Err(DiagnosticsError::NoChains.into());
    }
    if draws.num_draws() == 0 {
        return Err(DiagnosticsError::NoDraws.into());
    }
    Ok(())
}

/// # Errors
/// If a number has no place on an axis.
pub(super) fn check_values(name: &str, chains: &[Vec<f64>]) -> Result<(), PictureError> {
    for (chain, values) in chains.iter().enumerate() {
        if let Some(draw) = values.iter().position(|x| x.is_nan() || x.abs() >= 1e300) {
            return Err(PictureError::Value { name: name.to_owned(), chain, draw, value: values[draw] });
        }
    }
    Ok(())
}
