//! The printed table of a summary.

use std::fmt;

use super::summary::{Summary, SummaryRow};

/// One row a quantity under the columns of ArviZ: three decimals (or a power of ten where these would not
/// do), whole effective sample sizes, two decimals of R-hat.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<[String; 10]> = self.rows.iter().map(cells).collect();
        let head = self.head();
        let width = |column: usize| {
            let cells = rows.iter().chain([&head]).map(|row| row[column].chars().count());
            cells.max().unwrap_or_default()
        };
        let widths: [usize; 10] = std::array::from_fn(width);
        for (i, row) in [&head].into_iter().chain(&rows).enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{:<1$}", row[0], widths[0])?;
            for (cell, width) in row.iter().zip(widths).skip(1) {
                write!(f, "  {cell:>width$}")?;
            }
        }
        Ok(())
    }
}

impl Summary {
    fn head(&self) -> [String; 10] {
        let outside = 50.0 * (1.0 - self.hdi_prob);
        // Four decimals of a percentage, without zeros at the end.
        let percent = |p: f64| (p * 1e4).round() / 1e4;
        let [low, high] = [percent(outside), percent(100.0 - outside)].map(|p| format!("hdi_{p}%"));
        let [name, mean, sd] = ["", "mean", "sd"].map(str::to_owned);
        let [mcse_mean, mcse_sd, ess_bulk, ess_tail, r_hat] =
            ["mcse_mean", "mcse_sd", "ess_bulk", "ess_tail", "r_hat"].map(str::to_owned);
        [name, mean, sd, low, high, mcse_mean, mcse_sd, ess_bulk, ess_tail, r_hat]
    }
}

fn cells(row: &SummaryRow) -> [String; 10] {
    let [low, high] = row.hdi.map(number);
    let [mean, sd, mcse_mean, mcse_sd] = [row.mean, row.sd, row.mcse_mean, row.mcse_sd].map(number);
    let [ess_bulk, ess_tail] = [row.ess_bulk, row.ess_tail].map(|ess| format!("{ess:.0}"));
    [row.name.clone(), mean, sd, low, high, mcse_mean, mcse_sd, ess_bulk, ess_tail, format!("{:.2}", row.r_hat)]
}

fn number(x: f64) -> String {
    let plain = x == 0.0 || (5e-4..1e7).contains(&x.abs()) || !x.is_finite();
    if plain { format!("{x:.3}") } else { format!("{x:.2e}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, unit: f64) -> SummaryRow {
        SummaryRow {
            name: name.to_owned(),
            mean: 4.4371 * unit,
            sd: 3.3 * unit,
            hdi: [-1.85 * unit, 10.67 * unit],
            mcse_mean: 0.0821 * unit,
            mcse_sd: 0.0 * unit,
            ess_bulk: 1630.4,
            ess_tail: 982.7,
            r_hat: 1.0012,
        }
    }

    #[test]
    fn columns_stand_under_their_names() {
        let mut rows = vec![row("mu", 1.0), row("θ[10]", 1e-5), row("sum", 1e9)];
        rows[1].r_hat = f64::NAN;
        let table = Summary { rows, hdi_prob: 0.94, num_chains: 4, num_draws: 500 };
        let expected = "
           mean       sd    hdi_3%   hdi_97%  mcse_mean  mcse_sd  ess_bulk  ess_tail  r_hat
mu        4.437    3.300    -1.850    10.670      0.082    0.000      1630       983   1.00
θ[10]   4.44e-5  3.30e-5  -1.85e-5   1.07e-4    8.21e-7    0.000      1630       983    NaN
sum      4.44e9   3.30e9   -1.85e9   1.07e10     8.21e7    0.000      1630       983   1.00";
        let squeezed = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(squeezed(&table.to_string()), squeezed(expected));
        let text = table.to_string();
        let widths: Vec<usize> = text.lines().map(|line| line.chars().count()).collect();
        assert!(widths.iter().all(|w| *w == widths[0]), "{text}");
        let end = |line: &str, word: &str| line.find(word).map(|at| line[..at].chars().count() + word.len());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(end(lines[0], "hdi_97%"), end(lines[1], "10.670"), "{text}");
    }

    #[test]
    fn intervals_are_named_by_their_ends() {
        let named = |hdi_prob| Summary { rows: vec![], hdi_prob, num_chains: 0, num_draws: 0 }.head()[3..5].to_vec();
        assert_eq!(named(0.94), ["hdi_3%", "hdi_97%"]);
        assert_eq!(named(0.89), ["hdi_5.5%", "hdi_94.5%"]);
        assert_eq!(named(0.5), ["hdi_25%", "hdi_75%"]);
        assert_eq!(named(1.0), ["hdi_0%", "hdi_100%"]);
    }
}
