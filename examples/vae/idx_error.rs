//! What can be wrong with an IDX file, each case naming the file, what was expected and what was found.

use std::io;
use std::path::PathBuf;

use super::idx::{IMAGE_MAGIC, LABEL_MAGIC};

/// Why images or labels could not be read.
#[derive(Debug, thiserror::Error)]
pub enum IdxError {
    /// Neither the plain nor the gzipped file exists.
    #[error("no such file; tried {}", list(tried))]
    Missing {
        /// The paths tried.
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
    /// A foreign file: the first four bytes are not those of the kind asked for.
    #[error(
        "{}: not an IDX {kind} file: expected it to start with the number {expected}, found {found}{}",
        path.display(), other_kind(*found)
    )]
    Magic {
        /// The file.
        path: PathBuf,
        /// `image` or `label`.
        kind: &'static str,
        /// The magic number of that kind.
        expected: u32,
        /// The number found.
        found: u32,
    },
    /// The images have another size.
    #[error("{}: expected images of 28 x 28, found {rows} x {columns}", path.display())]
    ImageSize {
        /// The file.
        path: PathBuf,
        /// Rows of an image by the header.
        rows: u32,
        /// Columns of an image by the header.
        columns: u32,
    },
    /// The file ends too early.
    #[error("{}: truncated: expected {expected} bytes, found {found} (unpacked)", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Bytes of the whole file by its header, or of the header itself.
        expected: u64,
        /// Bytes found.
        found: u64,
    },
    /// The file goes on after its last item.
    #[error("{}: trailing bytes: expected {expected} bytes, found {found} (unpacked)", path.display())]
    Trailing {
        /// The file.
        path: PathBuf,
        /// Bytes of the whole file by its header.
        expected: u64,
        /// Bytes found.
        found: u64,
    },
    /// A label is no class.
    #[error("{}: label {index} is {found}, expected 0 to 9", path.display())]
    Label {
        /// The file.
        path: PathBuf,
        /// Which label, from 0.
        index: usize,
        /// Its value.
        found: u8,
    },
    /// Images and labels do not go together.
    #[error("{} has {n_images} images, but {} has {n_labels} labels", images.display(), labels.display())]
    Counts {
        /// The image file.
        images: PathBuf,
        /// Its images.
        n_images: usize,
        /// The label file.
        labels: PathBuf,
        /// Its labels.
        n_labels: usize,
    },
    /// There is nothing to read.
    #[error("{}: expected at least one image, found none", path.display())]
    Empty {
        /// The image file.
        path: PathBuf,
    },
}

fn list(paths: &[PathBuf]) -> String {
    let names: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
    names.join(", ")
}

fn other_kind(magic: u32) -> &'static str {
    match magic {
        IMAGE_MAGIC => " (an image file)",
        LABEL_MAGIC => " (a label file)",
        _ => "",
    }
}
