//! Running means, variances and covariances, without the cancellation of sums of squares.

use ppl_core::Dtype;
use serde::{Deserialize, Serialize};

/// Means and variances of coordinates. Welford, *Note on a Method for Calculating Corrected Sums of Squares and
/// Products* (1962).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WelfordVariance {
    count: u64,
    mean: Vec<f64>,
    squares: Vec<f64>,
}

impl WelfordVariance {
    /// Of so many coordinates.
    pub fn new(dim: usize) -> Self {
        WelfordVariance { count: 0, mean: vec![0.0; dim], squares: vec![0.0; dim] }
    }

    /// Takes a draw in.
    pub fn add<E: Dtype>(&mut self, draw: &[E]) {
        self.count += 1;
        let count = self.count as f64;
        let sums = self.mean.iter_mut().zip(&mut self.squares);
        for ((mean, square), x) in sums.zip(draw) {
            let from_old = x.wide() - *mean;
            *mean += from_old / count;
            *square += from_old * (x.wide() - *mean);
        }
    }

    /// Forgets all draws.
    pub fn restart(&mut self) {
        *self = WelfordVariance::new(self.mean.len());
    }

    /// How many draws were taken in.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The means.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The sample variances, with divisor n − 1; zero of fewer than two draws.
    pub fn variance(&self) -> Vec<f64> {
        let degrees = self.count.saturating_sub(1).max(1) as f64;
        self.squares.iter().map(|square| square / degrees).collect()
    }
}

/// Means and covariances of coordinates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WelfordCovariance {
    count: u64,
    mean: Vec<f64>,
    /// The lower triangle of the matrix of products, row by row in whole rows.
    products: Vec<f64>,
    /// The draw less the mean before it.
    from_old: Vec<f64>,
}

impl WelfordCovariance {
    /// Of so many coordinates.
    pub fn new(dim: usize) -> Self {
        WelfordCovariance { count: 0, mean: vec![0.0; dim], products: vec![0.0; dim * dim], from_old: vec![0.0; dim] }
    }

    /// Takes a draw in.
    pub fn add<E: Dtype>(&mut self, draw: &[E]) {
        self.count += 1;
        let (count, dim) = (self.count as f64, self.mean.len());
        for ((from_old, mean), x) in self.from_old.iter_mut().zip(&mut self.mean).zip(draw) {
            *from_old = x.wide() - *mean;
            *mean += *from_old / count;
        }
        for (i, row) in self.products.chunks_exact_mut(dim.max(1)).enumerate() {
            let from_new = draw[i].wide() - self.mean[i];
            row[..=i].iter_mut().zip(&self.from_old).for_each(|(product, from_old)| *product += from_new * from_old);
        }
    }

    /// Forgets all draws.
    pub fn restart(&mut self) {
        *self = WelfordCovariance::new(self.mean.len());
    }

    /// How many draws were taken in.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The means.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The sample covariance matrix, row by row, with divisor n − 1; zero of fewer than two draws.
    pub fn covariance(&self) -> Vec<f64> {
        let (degrees, dim) = (self.count.saturating_sub(1).max(1) as f64, self.mean.len());
        let product = |i: usize, j: usize| self.products[i.max(j) * dim + i.min(j)];
        (0..dim * dim).map(|at| product(at / dim, at % dim) / degrees).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stan's test/unit/math/prim/fun/welford_{var,covar}_estimator_test.cpp: draws 0, 1, .., 9 of ten equal coordinates.
    #[test]
    fn means_and_variances_are_those_of_stan() {
        let (mut variance, mut covariance) = (WelfordVariance::new(10), WelfordCovariance::new(10));
        for i in 0..10 {
            variance.add(&[f64::from(i); 10]);
            covariance.add(&[i as f32; 10]);
        }
        assert_eq!((variance.count(), covariance.count()), (10, 10));
        assert_eq!((variance.mean(), covariance.mean()), (&[4.5; 10][..], &[4.5; 10][..]));
        assert_eq!(variance.variance(), [55.0 / 6.0; 10]);
        assert_eq!(covariance.covariance(), [55.0 / 6.0; 100]);
        variance.restart();
        covariance.restart();
        assert_eq!((variance, covariance), (WelfordVariance::new(10), WelfordCovariance::new(10)));
    }

    #[test]
    fn a_great_mean_costs_no_digits() {
        let draws = [[1e8, -2e8], [1e8 + 1.0, -2e8 - 3.0], [1e8 + 2.0, -2e8]];
        let (mut variance, mut covariance) = (WelfordVariance::new(2), WelfordCovariance::new(2));
        draws.iter().for_each(|draw| variance.add(draw));
        draws.iter().for_each(|draw| covariance.add(draw));
        let close = |found: &[f64], expected: &[f64]| found.iter().zip(expected).all(|(f, e)| (f - e).abs() < 1e-6);
        assert!(close(&variance.variance(), &[1.0, 3.0]), "{:?}", variance.variance());
        assert!(close(&covariance.covariance(), &[1.0, 0.0, 0.0, 3.0]), "{:?}", covariance.covariance());
    }

    #[test]
    fn one_draw_has_no_spread() {
        let (mut variance, mut covariance) = (WelfordVariance::new(1), WelfordCovariance::new(1));
        variance.add(&[3.0]);
        covariance.add(&[3.0]);
        assert_eq!((variance.variance(), covariance.covariance()), (vec![0.0], vec![0.0]));
    }
}
