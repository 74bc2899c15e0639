//! The pictures of the example, and what can keep one from being made.

use std::io;
use std::path::{Path, PathBuf};

// Adds grids of images.
mod image_grid;
// Adds the course of training.
mod elbo_curve;

pub use elbo_curve::elbo_curve;
pub use image_grid::image_grid;

/// Why a picture could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// There is nothing to show.
    #[error("{}: no {what} to draw", path.display())]
    Empty {
        /// The picture.
        path: PathBuf,
        /// `images` or `ELBO`.
        what: &'static str,
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
    /// An ELBO is infinite or not a number.
    #[error("{}: the {series} ELBO of epoch {epoch} is {value}, expected a finite number", path.display())]
    Elbo {
        /// The picture.
        path: PathBuf,
        /// `training` or `test`.
        series: &'static str,
        /// Its epoch.
        epoch: u32,
        /// Its value.
        value: f64,
    },
    /// The curve could not be laid out.
    #[error("{}: cannot be drawn: {reason}", path.display())]
    Draw {
        /// The picture.
        path: PathBuf,
        /// What the drawing library said.
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
