//! Why a position will not do: the terms of a log-density with their gradients, as a table.

use std::fmt;

use ppl_core::Dtype;

/// One term of a log-density.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// The site's name.
    pub name: String,
    /// What it is: the distribution's name, and whether its value is data.
    pub what: String,
    /// Its value, shortened.
    pub value: String,
    /// The log-density of the value, with the Jacobian of the map from unconstrained numbers.
    pub log_density: f64,
    /// The derivatives of the whole log-density by the site's unconstrained numbers; none of data.
    pub gradient: Vec<f64>,
}

/// The terms of a log-density at a position.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Explanation {
    /// The terms, in the order of the model.
    pub terms: Vec<Term>,
}

/// How many numbers of a value are shown.
const SHOWN: usize = 4;

impl Explanation {
    /// Some numbers as a short text: the first few of many.
    pub fn shown<E: Dtype>(numbers: &[E]) -> String {
        let first: Vec<String> = numbers.iter().take(SHOWN).map(|x| format!("{:.4}", x.wide())).collect();
        let more = if numbers.len() > SHOWN { ", …" } else { "" };
        if numbers.len() == 1 { first.join("") } else { format!("[{}{more}]", first.join(", ")) }
    }

    /// The terms whose log-density or gradient is not finite.
    pub fn at_fault(&self) -> impl Iterator<Item = &Term> {
        self.terms.iter().filter(|term| !term.is_finite())
    }
}

impl Term {
    /// Whether the log-density and its gradient are finite.
    pub fn is_finite(&self) -> bool {
        self.log_density.is_finite() && self.gradient.iter().all(|g| g.is_finite())
    }

    /// What there is to see of the gradient: its first element that is not finite, or its greatest.
    fn shown_gradient(&self) -> String {
        if let Some(at) = self.gradient.iter().position(|g| !g.is_finite()) {
            return match self.gradient.len() {
                1 => format!("{}", self.gradient[at]),
                _ => format!("{} at {at}", self.gradient[at]),
            };
        }
        let greatest = self.gradient.iter().map(|g| g.abs()).reduce(f64::max);
        greatest.map_or_else(|| "-".to_owned(), |g| format!("{g:.3e}"))
    }
}

impl fmt::Display for Explanation {
    /// A line for each site; one that is at fault begins with `!`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = ["site", "distribution", "value", "log-density", "gradient"].map(str::to_owned);
        let rows = self.terms.iter().map(|term| {
            let log_density = format!("{:.4}", term.log_density);
            [term.name.clone(), term.what.clone(), term.value.clone(), log_density, term.shown_gradient()]
        });
        let rows: Vec<[String; 5]> = std::iter::once(header).chain(rows).collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: [usize; 5] = std::array::from_fn(width);
        for (number, row) in rows.iter().enumerate() {
            let mark = if number > 0 && !self.terms[number - 1].is_finite() { '!' } else { ' ' };
            let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            writeln!(f, "{mark} {}", cells.join("  ").trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_marks_what_is_at_fault() {
        let term = |name: &str, log_density: f64, gradient: &[f64]| Term {
            name: name.into(),
            what: "Normal".into(),
            value: Explanation::shown(&[0.5_f64]),
            log_density,
            gradient: gradient.to_vec(),
        };
        let terms =
            vec![term("mu", -1.25, &[0.5]), term("theta", 0.0, &[1.0, f64::NAN]), term("y", f64::NEG_INFINITY, &[])];
        let table = Explanation { terms }.to_string();
        let expected = "  site   distribution  value   log-density  gradient\n\
                        \u{20} mu     Normal        0.5000  -1.2500      5.000e-1\n\
                        ! theta  Normal        0.5000  0.0000       NaN at 1\n\
                        ! y      Normal        0.5000  -inf         -\n";
        assert_eq!(table, expected);
    }
}
