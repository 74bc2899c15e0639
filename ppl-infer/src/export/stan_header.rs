//! What stands above the rows of Stan's CSV, as comments: how the run was set up, and what warm-up found.

use std::fmt::Write;

use crate::draws::{Role, Variable};

use super::stan_columns::{STATS, columns, escape, unescape, write_number};

/// How a chain was set up, for the comments that open a file of Stan's CSV.
#[derive(Clone, Debug, PartialEq)]
pub struct StanRun {
    /// The model's name, escaped as names of columns are: ArviZ reads no word behind a space.
    pub model: String,
    /// The chain's number, counted from 0; the file says `id` and counts from 1.
    pub chain: usize,
    /// The seed of the run.
    pub seed: u64,
    /// The iterations of warm-up. They are not in the file.
    pub num_warmup: usize,
    /// The draws that were asked for.
    pub num_samples: usize,
    /// Of so many iterations one is kept; at least 1.
    pub thin: usize,
    /// How deep a tree may be; `None` of what is not NUTS.
    pub max_depth: Option<u32>,
    /// More lines `name = value`, in order: versions of other parts, the target of adaptation.
    pub notes: Vec<(String, String)>,
}

impl Default for StanRun {
    /// A model called `model`, chain 0, seed 0, nothing drawn or asked for, no thinning.
    fn default() -> Self {
        StanRun {
            model: "model".to_owned(),
            chain: 0,
            seed: 0,
            num_warmup: 0,
            num_samples: 0,
            thin: 1,
            max_depth: None,
            notes: Vec::new(),
        }
    }
}

/// The inverse of the mass matrix that warm-up found: the metric's estimate of the posterior's covariance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum InverseMass<'a> {
    /// The identity: nothing was adapted.
    Unit,
    /// Its diagonal; all else is 0.
    Diagonal(&'a [f64]),
    /// All of it, row after row.
    Dense(&'a [f64]),
}

/// The comments and the line of names that open a file.
pub(super) fn opening(variables: &[Variable], run: &StanRun) -> String {
    let mut text = String::new();
    // A string takes all text.
    let mut say = |indent: usize, name: &str, value: &dyn std::fmt::Display| {
        let _ = writeln!(text, "# {:indent$}{name} = {value}", "");
    };
    say(0, "ppl_version", &env!("CARGO_PKG_VERSION"));
    say(0, "model", &escape(&run.model));
    say(0, "method", &"sample");
    say(4, "num_samples", &run.num_samples);
    say(4, "num_warmup", &run.num_warmup);
    say(4, "save_warmup", &0);
    say(4, "thin", &run.thin.max(1));
    if let Some(max_depth) = run.max_depth {
        say(4, "algorithm", &"hmc");
        say(8, "engine", &"nuts");
        say(12, "max_depth", &max_depth);
    }
    say(0, "id", &(run.chain + 1));
    say(0, "seed", &run.seed);
    run.notes.iter().for_each(|(name, value)| say(0, &escape(name), &one_line(value)));
    for variable in variables {
        say(0, VARIABLE, &described(variable));
    }
    text.push_str(&names(variables));
    text.push('\n');
    text
}

/// The text with spaces for line ends and other control characters.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The line of names.
pub(super) fn names(variables: &[Variable]) -> String {
    let columns = columns(variables);
    let names: Vec<&str> = STATS.into_iter().chain(columns.iter().map(|(name, _)| name.as_str())).collect();
    names.join(",")
}

/// Where a line of names is not the one that was expected.
pub(super) fn difference(found: &str, expected: &str) -> String {
    let [mut found, mut expected] = [found.split(','), expected.split(',')];
    for number in 1.. {
        match (found.next(), expected.next()) {
            (None, None) => break,
            (found, expected) if found == expected => {}
            (found, expected) => {
                let [found, expected] = [found, expected].map(|n| n.map_or("missing".into(), |n| format!("`{n}`")));
                return format!("column {number} is {found}, but is to be {expected}");
            }
        }
    }
    "the columns are as expected".to_owned()
}

/// The comment that says what columns alone do not: roles, and sizes of what has no numbers.
pub(super) const VARIABLE: &str = "ppl_variable";

/// `latent w 2 3`.
fn described(variable: &Variable) -> String {
    let role = match variable.role {
        Role::Latent => "latent",
        Role::Deterministic => "deterministic",
        Role::Predicted => "predicted",
    };
    let sizes: String = variable.dims.iter().map(|size| format!(" {size}")).collect();
    format!("{role} {}{sizes}", escape(&variable.name))
}

/// The reading of [`described`].
pub(super) fn parse_described(text: &str) -> Option<(String, Vec<usize>, Role)> {
    let mut words = text.split(' ');
    let role = match words.next()? {
        "latent" => Role::Latent,
        "deterministic" => Role::Deterministic,
        "predicted" => Role::Predicted,
        _ => return None,
    };
    let name = unescape(words.next()?);
    let dims: Vec<usize> = words.map(str::parse).collect::<Result<_, _>>().ok()?;
    dims.iter().try_fold(1_usize, |size, &dim| size.checked_mul(dim))?;
    Some((name, dims, role))
}

/// The comments that say what warm-up found.
pub(super) fn adaptation(step_size: f64, inverse_mass: InverseMass<'_>) -> String {
    let mut text = "# Adaptation terminated\n# Step size = ".to_owned();
    write_number(&mut text, step_size);
    let row = |text: &mut String, row: &[f64]| {
        for (i, &x) in row.iter().enumerate() {
            text.push_str(if i == 0 { "\n# " } else { ", " });
            write_number(text, x);
        }
    };
    match inverse_mass {
        // Nothing to list; a heading without a list would be taken for one.
        InverseMass::Unit | InverseMass::Diagonal([]) | InverseMass::Dense([]) => {
            text.push_str("\n# No free parameters for unit metric");
        }
        InverseMass::Diagonal(diagonal) => {
            text.push_str("\n# Diagonal elements of inverse mass matrix:");
            row(&mut text, diagonal);
        }
        InverseMass::Dense(matrix) => {
            text.push_str("\n# Elements of inverse mass matrix:");
            let size = matrix.len().isqrt();
            matrix.chunks(size).for_each(|line| row(&mut text, line));
        }
    }
    text.push('\n');
    text
}
