//! Why draws could not be written or read.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why a file of draws could not be written or read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExportError {
    /// A file operation failed.
    #[error("{}: {action}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was being done.
        action: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line is not what belongs there.
    #[error("{}: line {line}: {problem}", .path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// A number of a row is none, or not one that belongs there.
    #[error("{}: line {line}, column `{column}`: {problem}", .path.display())]
    Cell {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The column's name.
        column: String,
        /// What is wrong there.
        problem: String,
    },
    /// The file ends before what it is to hold.
    #[error("{}: {problem}", .path.display())]
    Short {
        /// The file.
        path: PathBuf,
        /// What is missing.
        problem: String,
    },
}

impl ExportError {
    /// A failed file operation.
    pub(super) fn io<'a>(path: &'a Path, action: &'static str) -> impl FnOnce(std::io::Error) -> ExportError + 'a {
        move |source| ExportError::Io { path: path.to_owned(), action, source }
    }
}
