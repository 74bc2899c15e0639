//! Chorales as pictures: time runs to the right, pitch upwards.

use std::io;
use std::path::{Path, PathBuf};

use super::chorales::{KEYS, LOWEST};

/// Pixels of a step, from left to right.
const STEP_WIDTH: usize = 8;
/// Pixels of a key, from top to bottom.
const KEY_HEIGHT: usize = 4;
/// Pixels around the picture.
const MARGIN: usize = 8;
/// Grey level of the margin and of the rows of white keys.
const PAPER: u8 = 255;
/// Grey level of the rows of black keys.
const BLACK_KEY: u8 = 232;
/// Grey level of a note.
const INK: u8 = 24;

/// Why a picture could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PianoRollError {
    /// There is nothing to show.
    #[error("{}: no steps to draw", path.display())]
    Empty {
        /// The picture.
        path: PathBuf,
    },
    /// A note is no key of the piano.
    #[error("{}: step {step}: note {note} is outside of 0 to {}", path.display(), KEYS - 1)]
    Note {
        /// The picture.
        path: PathBuf,
        /// Which step, from 0.
        step: usize,
        /// The note.
        note: u8,
    },
    /// The picture could not be encoded.
    #[error("{}: cannot be drawn: {source}", path.display())]
    Draw {
        /// The picture.
        path: PathBuf,
        /// What the encoder said.
        source: png::EncodingError,
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

/// Writes a PNG of a chorale: a column for each step, a row for each of the 88 keys, the highest on top.
///
/// Notes are dark; the rows of the piano's black keys are a little darker than the others. The picture is
/// `16 + 8 * steps` wide and 368 high.
///
/// # Errors
/// If there are no steps, a note is not in `0..88`, or the file cannot be written.
pub fn piano_roll(path: impl AsRef<Path>, chorale: &[Vec<u8>]) -> Result<(), PianoRollError> {
    let path = path.as_ref();
    if chorale.is_empty() {
        return Err(PianoRollError::Empty { path: path.into() });
    }
    let mut picture = Picture::of_keys(chorale.len());
    for (step, notes) in chorale.iter().enumerate() {
        for &note in notes {
            if usize::from(note) >= KEYS {
                return Err(PianoRollError::Note { path: path.into(), step, note });
            }
            picture.paint(step..step + 1, note.into(), INK);
        }
    }
    let png = picture.encode().map_err(|source| PianoRollError::Draw { path: path.into(), source })?;
    std::fs::write(path, png).map_err(|source| PianoRollError::Write { path: path.into(), source })
}

/// Grey levels, row after row from the top.
struct Picture {
    width: usize,
    grey: Vec<u8>,
}

impl Picture {
    const HEIGHT: usize = 2 * MARGIN + KEY_HEIGHT * KEYS;

    /// The rows of the keys, without notes.
    fn of_keys(steps: usize) -> Self {
        let width = 2 * MARGIN + STEP_WIDTH * steps;
        let mut picture = Picture { width, grey: vec![PAPER; width * Self::HEIGHT] };
        for key in (0..KEYS).filter(|&key| is_black(key)) {
            picture.paint(0..steps, key, BLACK_KEY);
        }
        picture
    }

    fn paint(&mut self, steps: std::ops::Range<usize>, key: usize, level: u8) {
        let top = MARGIN + KEY_HEIGHT * (KEYS - 1 - key);
        for y in top..top + KEY_HEIGHT {
            let row = &mut self.grey[y * self.width..][..self.width];
            row[MARGIN + STEP_WIDTH * steps.start..MARGIN + STEP_WIDTH * steps.end].fill(level);
        }
    }

    fn encode(&self) -> Result<Vec<u8>, png::EncodingError> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width as u32, Self::HEIGHT as u32);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::High);
        encoder.write_header()?.write_image_data(&self.grey)?;
        Ok(bytes)
    }
}

/// Whether a key is one of the five black ones of its octave.
fn is_black(key: usize) -> bool {
    matches!((key + usize::from(LOWEST)) % 12, 1 | 3 | 6 | 8 | 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(path: &Path) -> (usize, usize, Vec<u8>) {
        let file = std::io::BufReader::new(std::fs::File::open(path).unwrap());
        let mut reader = png::Decoder::new(file).read_info().unwrap();
        let mut grey = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut grey).unwrap();
        assert_eq!(info.color_type, png::ColorType::Grayscale);
        (info.width as usize, info.height as usize, grey)
    }

    #[test]
    fn the_picture_is_dark_at_the_notes_and_nowhere_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("roll.png");
        let chorale = [vec![0, 39], vec![], vec![39, 40, 87]];
        piano_roll(&path, &chorale).unwrap();
        let (width, height, grey) = decode(&path);
        assert_eq!((width, height), (16 + 8 * 3, 16 + 4 * 88));
        for (x, y) in (0..width).flat_map(|x| (0..height).map(move |y| (x, y))) {
            let inside = (8..width - 8).contains(&x) && (8..height - 8).contains(&y);
            let is_note = inside && chorale[(x - 8) / 8].contains(&(87 - (y - 8) / 4).try_into().unwrap());
            assert_eq!(grey[y * width + x] < 100, is_note, "pixel {x}, {y}");
        }
        let level = |key: usize| grey[(8 + 4 * (87 - key)) * width + 8 + 8];
        // Middle C is key 39; above it lie C sharp, D, D sharp, E and F.
        assert_eq!([39, 40, 41, 42, 43, 44].map(level), [255, 232, 255, 232, 255, 255]);
        assert_eq!((0..88).filter(|&key| level(key) == 232).count(), 36);
    }

    #[test]
    fn what_cannot_be_drawn_is_named_and_nothing_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("roll.png");
        let error = piano_roll(&path, &[vec![], vec![3, 88]]).unwrap_err().to_string();
        assert_eq!(error, format!("{}: step 1: note 88 is outside of 0 to 87", path.display()));
        let error = piano_roll(&path, &[]).unwrap_err().to_string();
        assert_eq!(error, format!("{}: no steps to draw", path.display()));
        assert!(!path.exists());
        let error = piano_roll(dir.path().join("nowhere/roll.png"), &[vec![1]]).unwrap_err().to_string();
        assert!(error.contains("nowhere") && error.contains("cannot be written"), "{error}");
    }
}
