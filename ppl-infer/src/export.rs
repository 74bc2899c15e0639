//! Draws in files that other tools read: Stan's CSV, row by row as they are drawn.

// Why a file could not be written or read.
mod error;
// Names and columns as CmdStan writes them.
mod stan_columns;
// What stands above the rows: how the run was set up.
mod stan_header;
// Variables from the names of columns.
mod stan_layout;
// Writing, draw by draw.
mod stan_writer;
// Reading what we and CmdStan wrote.
mod stan_reader;

pub use error::ExportError;
pub use stan_header::{InverseMass, StanRun};
pub use stan_reader::read_stan_csv;
pub use stan_writer::StanCsv;
