//! What can be wrong with a file of chorales, each case naming the file and the place in it.

use std::io;
use std::path::PathBuf;

use super::chorales::{DATA_VARIABLE, FILE_NAMES, KEYS};

/// Why the chorales could not be read. Splits, sequences and steps are counted from 0.
#[derive(Debug, thiserror::Error)]
pub enum ChoraleError {
    /// The place that was asked for holds no file.
    #[error("{}", not_found(tried))]
    NotFound {
        /// The paths tried, in order.
        tried: Vec<PathBuf>,
    },
    /// The system could not read the file.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file starts as gzip and does not unpack.
    #[error("{}: damaged gzip data: {source}", path.display())]
    Gzip {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        source: io::Error,
    },
    /// The content is not JSON, or not lists of lists of lists of whole numbers.
    #[error("{}: not the JSON of chorales: {source}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What the parser said, with line and column.
        source: serde_json::Error,
    },
    /// The object has no such field.
    #[error("{}: no {split:?}; expected are \"train\", \"valid\" and \"test\"", path.display())]
    NoSplit {
        /// The file.
        path: PathBuf,
        /// `train`, `valid` or `test`.
        split: &'static str,
    },
    /// A list without chorales.
    #[error("{}: {split:?} is empty, expected at least one sequence", path.display())]
    EmptySplit {
        /// The file.
        path: PathBuf,
        /// `train`, `valid` or `test`.
        split: &'static str,
    },
    /// A chorale of no length.
    #[error("{}: {split:?}, sequence {sequence}: no steps, expected at least one", path.display())]
    NoSteps {
        /// The file.
        path: PathBuf,
        /// `train`, `valid` or `test`.
        split: &'static str,
        /// Which sequence of the split.
        sequence: usize,
    },
    /// A number that is no key of the piano.
    #[error(
        "{}: {split:?}, sequence {sequence}, step {step}: note {value} is outside of 0 to {}",
        path.display(), KEYS - 1
    )]
    Note {
        /// The file.
        path: PathBuf,
        /// `train`, `valid` or `test`.
        split: &'static str,
        /// Which sequence of the split.
        sequence: usize,
        /// Which step of the sequence.
        step: usize,
        /// The number found.
        value: i64,
    },
    /// A note that does not lie above the one before it in its step.
    #[error(
        "{}: {split:?}, sequence {sequence}, step {step}: note {value} follows {before}, expected ascending notes",
        path.display()
    )]
    Order {
        /// The file.
        path: PathBuf,
        /// `train`, `valid` or `test`.
        split: &'static str,
        /// Which sequence of the split.
        sequence: usize,
        /// Which step of the sequence.
        step: usize,
        /// The note.
        value: i64,
        /// The note before it.
        before: i64,
    },
}

fn not_found(tried: &[PathBuf]) -> String {
    let mut text = "no file of chorales found; tried\n".to_owned();
    for path in tried {
        text += &format!("  {}\n", path.display());
    }
    let names = FILE_NAMES.join(" or ");
    text += &format!("Name {names}, or its folder, by --data-dir, or the folder by {DATA_VARIABLE}. ");
    text + "examples/dmm/make_chorales.py makes one; without --data-dir a few chorales in this program do."
}
