//! Draws made by hand, with exact posteriors.

use ppl::infer::Draws;
use ppl::infer::draws::{ChainDraws, Role, SampleStats, layout};

/// Latent variables by name and sizes, and the rows of each chain.
pub(crate) fn draws(variables: &[(&str, &[usize])], chains: &[Vec<Vec<f64>>]) -> Draws {
    let variables = layout(variables.iter().map(|(name, dims)| ((*name).to_owned(), dims.to_vec(), Role::Latent)));
    let width = variables.last().map_or(0, |last| last.range.end);
    let chain = |rows: &Vec<Vec<f64>>| {
        let mut chain = ChainDraws::new(width);
        rows.iter().for_each(|row| chain.push(row, SampleStats::default()));
        chain
    };
    Draws::new(variables, chains.iter().map(chain).collect())
}

/// One chain of draws of one number.
pub(crate) fn numbers(name: &str, values: impl IntoIterator<Item = f64>) -> Draws {
    draws(&[(name, &[])], &[values.into_iter().map(|x| vec![x]).collect()])
}

pub(crate) fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

/// The mean of products of deviations.
pub(crate) fn covariance(x: &[f64], y: &[f64]) -> f64 {
    let (a, b) = (mean(x), mean(y));
    x.iter().zip(y).map(|(x, y)| (x - a) * (y - b)).sum::<f64>() / x.len() as f64
}
