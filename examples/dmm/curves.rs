//! The course of the likelihood over the epochs, as a table and as a picture.

use std::io;
use std::path::{Path, PathBuf};

use plotters::prelude::SeriesLabelPosition;

use super::line_chart::{Line, LineChart, LineChartError};

const TABLE: &str = "curves.csv";
const PICTURE: &str = "curves.svg";
const HEADER: &str = "epoch,train_nll,valid_nll,test_nll";

/// Why curves could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CurvesError {
    /// The system could not read or write the table.
    #[error("{}: {source}", path.display())]
    Io {
        /// The table.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line of the table is not as it should be.
    #[error("{}: line {line}: expected {expected}, found {found:?}", path.display())]
    Table {
        /// The table.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What should stand there.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// The picture could not be made.
    #[error(transparent)]
    Picture(#[from] LineChartError),
}

/// Negative log-likelihoods (their bounds) per time step of the training, validation and test chorales after some
/// of the epochs, the epochs ascending.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curves(Vec<(u64, [f64; 3])>);

impl Curves {
    /// What an earlier run left in a folder, up to the epoch from which this one goes on; nothing if it left none.
    ///
    /// # Errors
    /// If the table is there and cannot be read.
    pub fn resumed(folder: &Path, epoch: u64) -> Result<Self, CurvesError> {
        let path = folder.join(TABLE);
        let text = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Curves::default()),
            text => text.map_err(|source| CurvesError::Io { path: path.clone(), source })?,
        };
        let mut curves = Curves(parse(&path, &text)?);
        curves.0.retain(|point| point.0 <= epoch);
        Ok(curves)
    }

    /// Adds the figures after an epoch, in the place of what is there of that epoch or of later ones.
    pub fn add(&mut self, epoch: u64, nll: [f64; 3]) {
        self.0.retain(|point| point.0 < epoch);
        self.0.push((epoch, nll));
    }

    /// Writes the table, in one piece, and the picture.
    ///
    /// # Errors
    /// If one of them cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), CurvesError> {
        let (path, aside) = (folder.join(TABLE), folder.join(format!("{TABLE}.tmp")));
        let rows = self.0.iter().map(|(epoch, [train, valid, test])| format!("{epoch},{train},{valid},{test}\n"));
        let table = rows.fold(format!("{HEADER}\n"), |table, row| table + &row);
        let written = std::fs::write(&aside, table).and_then(|()| std::fs::rename(&aside, &path));
        written.map_err(|source| CurvesError::Io { path, source })?;
        Ok(self.draw(&folder.join(PICTURE))?)
    }

    fn draw(&self, path: &Path) -> Result<(), LineChartError> {
        let column = |which: usize| -> Vec<(u32, f64)> {
            self.0.iter().map(|(epoch, nll)| (u32::try_from(*epoch).unwrap_or(u32::MAX), nll[which])).collect()
        };
        let columns = [column(0), column(1), column(2)];
        let names = ["training", "validation", "test"];
        let lines: Vec<Line> = names.iter().zip(&columns).map(|(name, points)| Line { name, points }).collect();
        let legend = SeriesLabelPosition::UpperRight;
        LineChart { quantity: "NLL", unit: "nats per time step", legend, lines: &lines }.write(path)
    }
}

fn parse(path: &Path, text: &str) -> Result<Vec<(u64, [f64; 3])>, CurvesError> {
    let wrong = |line: usize, expected, found: &str| {
        let (path, found) = (path.to_owned(), found.to_owned());
        CurvesError::Table { path, line, expected, found }
    };
    let mut lines = text.lines();
    let header = lines.next().unwrap_or_default();
    if header != HEADER {
        return Err(wrong(1, HEADER, header));
    }
    let mut points: Vec<(u64, [f64; 3])> = Vec::new();
    for (number, line) in (2..).zip(lines) {
        let point = row(line).ok_or_else(|| wrong(number, "an epoch and three numbers", line))?;
        if points.last().is_some_and(|before| before.0 >= point.0) {
            return Err(wrong(number, "a later epoch than before", line));
        }
        points.push(point);
    }
    Ok(points)
}

fn row(line: &str) -> Option<(u64, [f64; 3])> {
    let (epoch, numbers) = line.split_once(',')?;
    let numbers: Vec<f64> = numbers.split(',').map(str::parse).collect::<Result<_, _>>().ok()?;
    Some((epoch.parse().ok()?, numbers.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that need all their digits.
    fn curves(epochs: &[u64]) -> Curves {
        let mut curves = Curves::default();
        epochs.iter().for_each(|&e| curves.add(e, [e as f64 / 3.0, 1e-300, 40.0 + e as f64 / 7.0]));
        curves
    }

    #[test]
    fn a_resumed_run_goes_on_after_its_epoch_bit_for_bit() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Curves::resumed(dir.path(), 7).unwrap(), Curves::default());
        curves(&[0, 2, 4, 6, 7]).write(dir.path()).unwrap();
        for (epoch, kept) in [(100, &[0, 2, 4, 6, 7][..]), (5, &[0, 2, 4]), (4, &[0, 2, 4]), (0, &[0])] {
            assert_eq!(Curves::resumed(dir.path(), epoch).unwrap(), curves(kept), "from epoch {epoch}");
        }
        let mut again = Curves::resumed(dir.path(), 4).unwrap();
        again.add(4, [1.0; 3]);
        again.write(dir.path()).unwrap();
        let table = std::fs::read_to_string(dir.path().join("curves.csv")).unwrap();
        let epochs: Vec<&str> = table.lines().map(|line| line.split(',').next().unwrap()).collect();
        assert_eq!(epochs, ["epoch", "0", "2", "4"]);
        assert!(table.ends_with("\n4,1,1,1\n"), "{table}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "the table and the picture, nothing else");
    }

    #[test]
    fn the_picture_has_a_line_for_each_split() {
        let dir = tempfile::tempdir().unwrap();
        curves(&[1, 2, 3]).write(dir.path()).unwrap();
        let svg = std::fs::read_to_string(dir.path().join("curves.svg")).unwrap();
        for text in ["training", "validation", "test", "epoch", "NLL (nats per time step)"] {
            assert!(svg.contains(&format!("\n{text}\n")), "no text {text:?}");
        }
        for colour in ["#1F5FA6", "#D05418", "#2E7D32"] {
            let dots = svg.lines().filter(|line| line.starts_with("<circle") && line.contains(colour)).count();
            assert_eq!(dots, 3, "dots of {colour}");
        }
    }

    #[test]
    fn a_broken_table_is_named_with_its_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("curves.csv");
        let cases = [
            ("", "line 1: expected epoch,train_nll,valid_nll,test_nll, found \"\""),
            (
                "epoch,train_nll,valid_nll,test_nll\n1,2,3",
                "line 2: expected an epoch and three numbers, found \"1,2,3\"",
            ),
            ("epoch,train_nll,valid_nll,test_nll\n3,2,3,4\n3,2,3,4", "line 3: expected a later epoch than before"),
        ];
        for (text, expected) in cases {
            std::fs::write(&path, text).unwrap();
            let message = Curves::resumed(dir.path(), 1).unwrap_err().to_string();
            assert!(message.starts_with(&format!("{}: {expected}", path.display())), "{message}");
        }
        let message = curves(&[1]).write(&dir.path().join("nowhere")).unwrap_err().to_string();
        assert!(message.contains("nowhere"), "{message}");
    }
}
