//! The pictures of the example, and what can keep one from being made.

use std::io;
use std::path::{Path, PathBuf};

// Adds grids of images.
mod image_grid;
// Adds lines against the epoch; the dmm has the same file.
#[path = "../../pictures/line_chart.rs"]
pub mod line_chart;
// Adds the course of training.
mod elbo_curve;

pub use elbo_curve::elbo_curve;
pub use image_grid::image_grid;

/// Why a picture could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// There is nothing to show.
    #[error("{}: no images to draw", path.display())]
    Empty {
        /// The picture.
        path: PathBuf,
    },
    /// An image is not of 28 x 28 pixels.
    #[error("{}: row {row}, column {column}: expected 784 pixels, found {found}", path.display())]
    ImageSize {
        /// The picture.
        path: PathBuf,
        /// Row of the grid, from 0.
        row: usize,
        /// Column of the grid, from 0.
        column: usize,
        /// Pixels of that image.
        found: usize,
    },
    /// A pixel is not a number.
    #[error("{}: row {row}, column {column}: pixel {pixel} is not a number", path.display())]
    Pixel {
        /// The picture.
        path: PathBuf,
        /// Row of the grid, from 0.
        row: usize,
        /// Column of the grid, from 0.
        column: usize,
        /// Index in the image, from 0.
        pixel: usize,
    },
    /// The picture could not be encoded.
    #[error("{}: cannot be drawn: {reason}", path.display())]
    Draw {
        /// The picture.
        path: PathBuf,
        /// What the encoder said.
        reason: String,
    },
    /// The file could not be written.
    #[error("{}: cannot be written: {source}", path.display())]
    Write {
        /// The picture.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

fn draw_error(path: &Path, error: impl std::fmt::Display) -> PictureError {
    PictureError::Draw { path: path.into(), reason: error.to_string() }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), PictureError> {
    std::fs::write(path, bytes).map_err(|source| PictureError::Write { path: path.into(), source })
}
