//! Writing Stan's CSV, one file a chain, draw by draw in constant memory.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::draws::{SampleStats, Variable};

use super::error::ExportError;
use super::stan_columns::{columns, write_number, write_stats};
use super::stan_header::{InverseMass, StanRun, adaptation, difference, names, opening};

/// The draws of one chain on their way into a file of Stan's CSV, as CmdStan writes it: comments on the run, a line of
/// names, one line a draw. ArviZ opens it (`az.from_cmdstan`), and so does [`read_stan_csv`](super::read_stan_csv).
///
/// A row is written as text of the shortest decimals that read back as the same numbers. It reaches the file when
/// the buffer is full, at [`flush`](StanCsv::flush), [`sync`](StanCsv::sync) or [`finish`](StanCsv::finish), or when
/// this is dropped. After a kill, [`resume`](StanCsv::resume) goes on behind a row that is there.
///
/// The names of columns are those of [`Variable`]s with `%` and two hexadecimal digits for each byte of what has a
/// meaning in the format: of `a.b`, `a%2Eb`. Beside CmdStan's own columns there is `reached_max_treedepth__`.
#[derive(Debug)]
pub struct StanCsv {
    path: PathBuf,
    file: BufWriter<File>,
    /// Places of a row, in the order of columns.
    order: Vec<usize>,
    rows: usize,
    line: String,
}

impl StanCsv {
    /// Creates the file, or empties the one that is there, and writes what stands above the rows.
    ///
    /// # Errors
    /// If the file cannot be created or written.
    pub fn create(path: impl AsRef<Path>, variables: &[Variable], run: &StanRun) -> Result<Self, ExportError> {
        let path = path.as_ref();
        let file = File::create(path).map_err(ExportError::io(path, "creating"))?;
        let mut csv = StanCsv::over(path, file, variables, 0);
        csv.append(&opening(variables, run))?;
        Ok(csv)
    }

    /// Opens the file of an interrupted run and removes everything behind its first `rows` draws, such as draws that
    /// the saved state of the sampler does not know of, or half a line. What comes next goes there. (Without rows to
    /// keep, what warm-up found is removed too, and is to be written again.)
    ///
    /// # Errors
    /// If the file cannot be read or written, its columns are not those of the variables, or it has fewer whole rows.
    pub fn resume(path: impl AsRef<Path>, variables: &[Variable], rows: usize) -> Result<Self, ExportError> {
        let path = path.as_ref();
        let file = OpenOptions::new().read(true).write(true).open(path).map_err(ExportError::io(path, "opening"))?;
        let end = end_of_row(path, &file, &names(variables), rows)?;
        file.set_len(end).map_err(ExportError::io(path, "removing what is behind the last row"))?;
        let mut csv = StanCsv::over(path, file, variables, rows);
        csv.file.seek(SeekFrom::Start(end)).map_err(ExportError::io(path, "going behind the last row"))?;
        Ok(csv)
    }

    fn over(path: &Path, file: File, variables: &[Variable], rows: usize) -> Self {
        let order = columns(variables).into_iter().map(|(_, at)| at).collect();
        StanCsv { path: path.to_owned(), file: BufWriter::new(file), order, rows, line: String::new() }
    }

    /// Writes what warm-up found, where CmdStan does: above the first row.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn adaptation(&mut self, step_size: f64, inverse_mass: InverseMass<'_>) -> Result<(), ExportError> {
        self.append(&adaptation(step_size, inverse_mass))
    }

    /// Appends a draw: its numbers as in a row of [`Draws`](crate::Draws), and what happened there.
    ///
    /// # Errors
    /// If the file cannot be written.
    ///
    /// # Panics
    /// If the row is not as long as the variables together.
    pub fn row(&mut self, values: &[f64], stats: &SampleStats) -> Result<(), ExportError> {
        assert_eq!(values.len(), self.order.len(), "numbers of a draw");
        self.line.clear();
        write_stats(&mut self.line, stats);
        for &at in &self.order {
            self.line.push(',');
            write_number(&mut self.line, values[at]);
        }
        self.line.push('\n');
        self.file.write_all(self.line.as_bytes()).map_err(ExportError::io(&self.path, "writing a row"))?;
        self.rows += 1;
        Ok(())
    }

    /// The number of rows: those that were there, and those written since.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Hands all rows to the system: they outlive this process.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn flush(&mut self) -> Result<(), ExportError> {
        self.file.flush().map_err(ExportError::io(&self.path, "writing"))
    }

    /// Hands all rows to the disk: they outlive a loss of power.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn sync(&mut self) -> Result<(), ExportError> {
        self.flush()?;
        self.file.get_ref().sync_data().map_err(ExportError::io(&self.path, "syncing"))
    }

    /// Writes how long the run took, as CmdStan does, and closes the file.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn finish(mut self, warmup: Duration, sampling: Duration) -> Result<(), ExportError> {
        let [warmup, sampling] = [warmup, sampling].map(|time| time.as_secs_f64());
        self.append(&format!(
            "# \n#  Elapsed Time: {warmup:.3} seconds (Warm-up)\n#                {sampling:.3} seconds (Sampling)\n\
             #                {:.3} seconds (Total)\n# \n",
            warmup + sampling
        ))?;
        self.flush()
    }

    fn append(&mut self, text: &str) -> Result<(), ExportError> {
        self.file.write_all(text.as_bytes()).map_err(ExportError::io(&self.path, "writing"))
    }
}

/// Where the row of that number ends, counted in bytes; where no row is to be kept, the line of names.
fn end_of_row(path: &Path, file: &File, names: &str, rows: usize) -> Result<u64, ExportError> {
    let mut reader = BufReader::new(file);
    let (mut text, mut end, mut line, mut found) = (Vec::new(), 0, 0, None);
    while found != Some(rows) {
        text.clear();
        end += reader.read_until(b'\n', &mut text).map_err(ExportError::io(path, "reading"))? as u64;
        line += 1;
        if text.pop() != Some(b'\n') {
            let problem = format!("it has {} whole rows, but {rows} are to be kept", found.unwrap_or(0));
            return Err(ExportError::Short { path: path.to_owned(), problem });
        }
        if text.starts_with(b"#") {
            continue;
        }
        if found.is_none() && text != names.as_bytes() {
            let problem = difference(&String::from_utf8_lossy(&text), names);
            return Err(ExportError::Line { path: path.to_owned(), line, problem });
        }
        found = Some(found.map_or(0, |found| found + 1));
    }
    Ok(end)
}
