//! Reading Stan's CSV: what [`StanCsv`](super::StanCsv) wrote, and what CmdStan wrote.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use crate::draws::{ChainDraws, Draws, Role, SampleStats, Variable, layout};

use super::error::ExportError;
use super::stan_columns::{STATS, columns};
use super::stan_header::{VARIABLE, difference, names, parse_described};
use super::stan_layout::infer;

/// Reads the draws of a run, one file a chain, as [`StanCsv`](super::StanCsv) or CmdStan wrote them.
///
/// Of files of CmdStan all variables are [`Role::Latent`], since CmdStan does not say which were computed from others;
/// rows of warm-up, where it saved them, are left out. A tree was as deep as allowed where its depth is the `max_depth`
/// that the comments name. A last line without an end is left out: a chain was killed, or still runs. Positions of
/// divergences are not in such files, but whether a draw's trajectory diverged is.
///
/// # Errors
/// If a file cannot be read, a line or number is not what belongs there (the error names file, line and column), or two
/// files have different columns.
pub fn read_stan_csv<P: AsRef<Path>>(paths: &[P]) -> Result<Draws, ExportError> {
    let mut variables: Option<Vec<Variable>> = None;
    let mut chains = Vec::with_capacity(paths.len());
    for path in paths {
        let mut reader = ChainReader::open(path.as_ref())?;
        let columns = reader.columns()?;
        let first = variables.get_or_insert_with(|| columns.variables.clone());
        if *first != columns.variables {
            let problem = difference(&names(&columns.variables), &names(first));
            return Err(reader.wrong(format!("not of the run of the first file: {problem}")));
        }
        chains.push(reader.rows(&columns)?);
    }
    Ok(Draws::new(variables.unwrap_or_default(), chains))
}

/// A file, read line by line.
struct ChainReader {
    path: PathBuf,
    file: BufReader<File>,
    /// The number of the line that was read last, counted from 1.
    line: usize,
    settings: Settings,
}

/// What comments say.
#[derive(Default)]
struct Settings {
    variables: Vec<(String, Vec<usize>, Role)>,
    max_depth: Option<u32>,
    saves_warmup: bool,
}

/// What the columns are.
struct Columns {
    variables: Vec<Variable>,
    /// The name of each and what it holds, in order.
    cells: Vec<(String, Cell)>,
}

#[derive(Clone, Copy)]
enum Cell {
    /// The number of a row at a place.
    Value(usize),
    /// What one of [`STATS`] names.
    Stat(usize),
    /// What another sampler counted.
    Other,
}

impl ChainReader {
    fn open(path: &Path) -> Result<Self, ExportError> {
        let file = BufReader::new(File::open(path).map_err(ExportError::io(path, "opening"))?);
        Ok(ChainReader { path: path.to_owned(), file, line: 0, settings: Settings::default() })
    }

    fn wrong(&self, problem: String) -> ExportError {
        ExportError::Line { path: self.path.clone(), line: self.line, problem }
    }

    /// The next whole line without its end, if there is one.
    fn next_line(&mut self, text: &mut String) -> Result<bool, ExportError> {
        text.clear();
        self.line += 1;
        self.file.read_line(text).map_err(ExportError::io(&self.path, "reading"))?;
        let is_whole = text.ends_with('\n');
        text.truncate(text.trim_end_matches(['\n', '\r']).len());
        Ok(is_whole)
    }

    /// Reads up to the line of names, and what it says.
    fn columns(&mut self) -> Result<Columns, ExportError> {
        let mut text = String::new();
        while self.next_line(&mut text)? {
            if let Some(comment) = text.strip_prefix('#') {
                self.settings.note(comment).map_err(|problem| self.wrong(problem))?;
            } else if !text.is_empty() {
                let described = std::mem::take(&mut self.settings.variables);
                return Columns::of(&text, described).map_err(|problem| self.wrong(problem));
            }
        }
        Err(ExportError::Short { path: self.path.clone(), problem: "it ends before a line of names".into() })
    }

    /// Reads the draws.
    fn rows(&mut self, columns: &Columns) -> Result<ChainDraws, ExportError> {
        let width = columns.variables.last().map_or(0, |last| last.range.end);
        let mut chain = ChainDraws::new(width);
        let (mut text, mut row) = (String::new(), vec![0.0; width]);
        while self.next_line(&mut text)? {
            match text.strip_prefix('#') {
                Some(comment) if self.settings.saves_warmup && comment.trim() == "Adaptation terminated" => {
                    chain = ChainDraws::new(width);
                }
                Some(_) => {}
                None if text.is_empty() => {}
                None => {
                    let stats = self.row(&text, columns, &mut row)?;
                    chain.push(&row, stats);
                }
            }
        }
        Ok(chain)
    }

    fn row(&self, text: &str, columns: &Columns, row: &mut [f64]) -> Result<SampleStats, ExportError> {
        let (mut stats, mut saturation_is_known) = (SampleStats::default(), false);
        let mut found = 0;
        for (text, (name, cell)) in text.split(',').zip(&columns.cells) {
            found += 1;
            let result = match *cell {
                Cell::Value(at) => number(text).map(|x| row[at] = x),
                Cell::Stat(which) => {
                    saturation_is_known |= which == 7;
                    set_stat(&mut stats, which, text)
                }
                Cell::Other => Ok(()),
            };
            result.map_err(|problem| ExportError::Cell {
                path: self.path.clone(),
                line: self.line,
                column: name.clone(),
                problem,
            })?;
        }
        let expected = columns.cells.len();
        if found < expected || text.split(',').count() > expected {
            let found = text.split(',').count();
            return Err(self.wrong(format!("a row of {found} numbers, but there are {expected} columns")));
        }
        if !saturation_is_known {
            stats.depth_saturated = self.settings.max_depth == Some(stats.depth) && !stats.diverging;
        }
        Ok(stats)
    }
}

impl Settings {
    /// Takes a comment `name = value`, where the name is one that matters.
    fn note(&mut self, comment: &str) -> Result<(), String> {
        let Some((name, value)) = comment.split_once('=') else { return Ok(()) };
        let value = value.trim().trim_end_matches("(Default)").trim_end();
        match name.trim() {
            VARIABLE => {
                let variable = parse_described(value);
                self.variables.push(variable.ok_or_else(|| format!("`{value}` does not describe a variable"))?);
            }
            "max_depth" => self.max_depth = value.parse().ok(),
            "save_warmup" => self.saves_warmup = matches!(value, "1" | "true"),
            _ => {}
        }
        Ok(())
    }
}

impl Columns {
    fn of(line: &str, described: Vec<(String, Vec<usize>, Role)>) -> Result<Self, String> {
        let found: Vec<&str> = line.split(',').map(str::trim).collect();
        let is_stat = |name: &&str| name.ends_with("__");
        let variables = if described.is_empty() {
            infer(found.iter().copied().filter(|name| !is_stat(name)))?
        } else {
            layout(described)
        };
        let mut values = columns(&variables).into_iter();
        let mut cells = Vec::with_capacity(found.len());
        for name in found {
            let cell = if is_stat(&name) {
                STATS.iter().position(|stat| *stat == name).map_or(Cell::Other, Cell::Stat)
            } else {
                match values.next() {
                    Some((expected, at)) if expected == name => Cell::Value(at),
                    Some((expected, _)) => return Err(format!("column `{name}` stands where `{expected}` belongs")),
                    None => return Err(format!("column `{name}` belongs to no variable that the comments name")),
                }
            };
            cells.push((name.to_owned(), cell));
        }
        match values.next() {
            Some((missing, _)) => Err(format!("there is no column `{missing}`")),
            None => Ok(Columns { variables, cells }),
        }
    }
}

fn number(text: &str) -> Result<f64, String> {
    text.trim().parse().map_err(|_| format!("`{text}` is not a number"))
}

fn count(text: &str) -> Result<u32, String> {
    text.trim().parse().map_err(|_| format!("`{text}` is not a count"))
}

fn flag(text: &str) -> Result<bool, String> {
    match text.trim() {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => Err(format!("`{text}` is neither 0 nor 1")),
    }
}

/// Sets what one of [`STATS`] names.
fn set_stat(stats: &mut SampleStats, which: usize, text: &str) -> Result<(), String> {
    match which {
        0 => stats.log_density = number(text)?,
        1 => stats.accept_probability = number(text)?,
        2 => stats.step_size = number(text)?,
        3 => stats.depth = count(text)?,
        4 => stats.evaluations = count(text)?,
        5 => stats.diverging = flag(text)?,
        6 => stats.energy = number(text)?,
        _ => stats.depth_saturated = flag(text)?,
    }
    Ok(())
}
