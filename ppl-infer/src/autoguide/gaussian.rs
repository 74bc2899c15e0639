//! A normal distribution over the unconstrained numbers, by site.

use crate::model_density::LatentSite;

/// A normal distribution over the unconstrained numbers of all latent sites.
#[derive(Clone, Debug, PartialEq)]
pub struct Gaussian {
    /// The sites, each with its range of the numbers.
    pub sites: Vec<LatentSite>,
    /// The mean.
    pub loc: Vec<f64>,
    /// The covariance, row by row.
    pub covariance: Vec<Vec<f64>>,
}

impl Gaussian {
    /// The standard deviation of each number.
    pub fn scale(&self) -> Vec<f64> {
        (0..self.loc.len()).map(|i| self.covariance[i][i].sqrt()).collect()
    }
}

/// The product of a matrix and its transpose.
pub(super) fn squared(factor: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let product = |a: &Vec<f64>, b: &Vec<f64>| a.iter().zip(b).map(|(a, b)| a * b).sum();
    factor.iter().map(|a| factor.iter().map(|b| product(a, b)).collect()).collect()
}

/// A diagonal matrix.
pub(super) fn diagonal(numbers: impl Iterator<Item = f64>) -> Vec<Vec<f64>> {
    let numbers: Vec<f64> = numbers.collect();
    let n = numbers.len();
    (0..n).map(|i| (0..n).map(|j| if i == j { numbers[i] } else { 0.0 }).collect()).collect()
}
