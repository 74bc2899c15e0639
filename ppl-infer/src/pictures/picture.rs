//! A picture, and its files.

use std::io::Write;
use std::path::Path;

use plotters::prelude::{IntoDrawingArea, SVGBackend};

use crate::atomic_file::{Failed, replace};

use super::options::PictureError;
use super::panel::{Entry, Panel};
use super::render::{draw, size};

/// A picture of draws, to be written as SVG or PNG.
///
/// ```
/// use ppl_infer::draws::{ChainDraws, Draws, Role, SampleStats, layout};
/// use ppl_infer::pictures::{PictureOptions, trace_plot};
///
/// let mut chain = ChainDraws::new(1);
/// for mu in [0.3, -1.2, 0.8, 0.1] {
///     chain.push(&[mu], SampleStats::default());
/// }
/// let draws = Draws::new(layout([("mu".into(), vec![], Role::Latent)]), vec![chain]);
/// let picture = trace_plot(&draws, &PictureOptions::of(["mu"]))?;
/// assert!(picture.to_svg()?.contains("mu"));
/// # Ok::<(), ppl_infer::pictures::PictureError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    pub(super) title: Option<String>,
    pub(super) legend: Vec<Entry>,
    /// How many panels stand side by side.
    pub(super) columns: usize,
    /// Width and height of a panel, axes included.
    pub(super) cell: (u32, u32),
    /// What the first column is wider, and the last row higher, for the numbers at the edge.
    pub(super) edge: (u32, u32),
    /// Row after row; some places may be free.
    pub(super) panels: Vec<Option<Panel>>,
}

impl Picture {
    /// Width and height.
    pub fn size(&self) -> (u32, u32) {
        size(self)
    }

    /// The picture as the text of an SVG file. Its letters are the viewer's sans-serif font.
    ///
    /// # Errors
    /// If the drawing library fails.
    pub fn to_svg(&self) -> Result<String, PictureError> {
        let mut svg = String::new();
        let area = SVGBackend::with_string(&mut svg, self.size()).into_drawing_area();
        draw(self, &area).map_err(|error| PictureError::Draw(error.to_string()))?;
        drop(area);
        Ok(svg)
    }

    /// The picture as the bytes of a PNG file. Its letters are DejaVu Sans, which is part of the library.
    ///
    /// # Errors
    /// If the drawing library fails.
    #[cfg(feature = "pictures-png")]
    pub fn to_png(&self) -> Result<Vec<u8>, PictureError> {
        super::bitmap::png(self)
    }

    /// Writes the picture, atomically, in the format that the file's name ends in: `.svg`, or `.png` with the feature
    /// `pictures-png`.
    ///
    /// # Errors
    /// If the name ends in something else, or the file cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), PictureError> {
        let path = path.as_ref();
        let bytes = match path.extension().and_then(|extension| extension.to_str()) {
            Some("svg") => self.to_svg()?.into_bytes(),
            #[cfg(feature = "pictures-png")]
            Some("png") => self.to_png()?,
            _ => return Err(PictureError::Format(path.to_owned())),
        };
        replace(path, |writer| writer.write_all(&bytes))
            .map_err(|Failed { source, .. }| PictureError::Write { path: path.to_owned(), source })
    }
}
