//! Homes and counties: from files, or simulated.

use std::path::Path;

use ppl::prelude64::*;
use ppl::rng::Rng;
use rand::Rng as _;
use rand_distr::StandardNormal;

/// What is known of the homes and their counties.
pub(crate) struct Homes {
    /// The number of each home's county.
    pub(crate) county: Vec<usize>,
    /// 1 where radon was measured on the ground floor, 0 in the basement.
    pub(crate) floor: Tensor<(usize,)>,
    /// The uranium of each county.
    pub(crate) uranium: Tensor<(usize,)>,
    /// The logarithm of each home's radon.
    pub(crate) radon: Tensor<(usize,)>,
}

impl Homes {
    /// 919 homes in 85 counties: mean 1.5, 0.7 for uranium, 0.3 between counties, −0.65 for the floor, 0.75 within.
    pub(crate) fn simulated() -> Self {
        const HOMES: usize = 919;
        const COUNTIES: usize = 85;
        let mut rng = Rng::named(0, "homes of radon");
        let mut normal = |scale: f64| scale * rng.sample::<f64, _>(StandardNormal);
        let uranium: Vec<f64> = (0..COUNTIES).map(|_| normal(0.4)).collect();
        let intercepts: Vec<f64> = uranium.iter().map(|u| 1.5 + 0.7 * u + normal(0.3)).collect();
        let noise: Vec<f64> = (0..HOMES).map(|_| normal(0.75)).collect();
        // A few counties have most homes, and every county has one.
        let county: Vec<usize> = (0..HOMES)
            .map(|i| if i < COUNTIES { i } else { (rng.gen_range(0.0_f64..1.0).powi(3) * 85.0) as usize })
            .collect();
        let floor: Vec<f64> = (0..HOMES).map(|_| f64::from(u8::from(rng.gen_bool(0.17)))).collect();
        let radon = (0..HOMES).map(|i| intercepts[county[i]] - 0.65 * floor[i] + noise[i]).collect();
        Homes { county, floor: Tensor::vector(floor), uranium: Tensor::vector(uranium), radon: Tensor::vector(radon) }
    }

    /// The homes of two tables.
    ///
    /// # Errors
    /// If a file cannot be read or a cell is not what it should be: file and line are named.
    pub(crate) fn read(folder: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        let uranium: Vec<f64> = table(&folder.join("radon_county.csv"), &["u"])?.concat();
        let path = folder.join("radon_obs.csv");
        let rows = table(&path, &["county", "floor", "y"])?;
        let wrong = |row: &Vec<f64>| row[0].fract() != 0.0 || row[0] < 0.0 || row[0] >= uranium.len() as f64;
        if let Some(at) = rows.iter().position(wrong) {
            let (path, line, counties) = (path.display(), at + 2, uranium.len());
            return Err(format!("{path}, line {line}: county {} is none of 0 to {}", rows[at][0], counties - 1).into());
        }
        let column = |at: usize| Tensor::vector(rows.iter().map(|row| row[at]).collect());
        Ok(Homes {
            county: rows.iter().map(|row| row[0] as usize).collect(),
            floor: column(1),
            uranium: Tensor::vector(uranium),
            radon: column(2),
        })
    }
}

/// The rows of a table with these columns.
fn table(path: &Path, columns: &[&str]) -> Result<Vec<Vec<f64>>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut lines = text.lines().enumerate();
    let names: Vec<&str> = lines.next().map_or_else(Vec::new, |(_, line)| line.split(',').map(str::trim).collect());
    if names != columns {
        return Err(format!("{}, line 1: the columns are {names:?}, expected {columns:?}", path.display()));
    }
    let row = |(number, line): (usize, &str)| {
        let cells: Result<Vec<f64>, _> = line.split(',').map(|cell| cell.trim().parse::<f64>()).collect();
        let cells = cells.ok().filter(|cells| cells.len() == columns.len() && cells.iter().all(|x| x.is_finite()));
        cells.ok_or_else(|| {
            format!("{}, line {}: {} finite numbers were expected", path.display(), number + 1, columns.len())
        })
    };
    let rows = lines.filter(|(_, line)| !line.trim().is_empty()).map(row).collect::<Result<Vec<_>, _>>()?;
    if rows.is_empty() { Err(format!("{}: there are no rows", path.display())) } else { Ok(rows) }
}
