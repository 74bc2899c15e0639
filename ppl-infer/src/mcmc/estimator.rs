//! Metrics estimated from draws, with Stan's shrinkage of few draws, and from gradients, as nuts-rs does.

use ppl_core::Dtype;
use serde::{Deserialize, Serialize};

use super::metric::{InvalidMetric, Metric};
use super::welford::{WelfordCovariance, WelfordVariance};

/// What an estimated metric looks like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MetricShape {
    /// Not estimated: M⁻¹ = 1.
    Identity,
    /// The variances of the draws. Stan's default and ours.
    #[default]
    Diagonal,
    /// The covariance of the draws.
    Dense,
    /// For each coordinate √(variance of the draws / variance of the gradients), the diagonal metric of least
    /// Fisher divergence: Seyboldt, Carlson and Carpenter, *Preconditioning Hamiltonian Monte Carlo by
    /// Minimizing Fisher Divergence* (2026). Of an independent normal two draws give it exactly, so that a warm-up in
    /// overlapping windows takes fewer gradients than with the variances of the draws.
    FisherDiagonal,
    /// Groups of coordinates, each with a metric of its own.
    Blocks(Vec<(Vec<usize>, MetricShape)>),
}

/// Learns a metric from draws.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum MetricEstimator {
    /// See [`MetricShape::Identity`]; the dimension.
    Identity(usize),
    /// See [`MetricShape::Diagonal`].
    Diagonal(WelfordVariance),
    /// See [`MetricShape::Dense`].
    Dense(WelfordCovariance),
    /// See [`MetricShape::FisherDiagonal`]: of draws, and of gradients.
    FisherDiagonal(WelfordVariance, WelfordVariance),
    /// See [`MetricShape::Blocks`].
    Blocks(Vec<(Vec<usize>, MetricEstimator)>),
}

/// As many draws as the variance that estimates shrink to is worth.
const SHRINKAGE: f64 = 5.0;

/// The variance that estimates shrink to.
const SMALL: f64 = 1e-3;

/// What variances of the gradient-based metric are kept within: the bounds of nuts-rs.
const BOUNDS: (f64, f64) = (1e-20, 1e20);

impl MetricEstimator {
    /// An estimator of this shape in so many dimensions.
    pub fn new(shape: &MetricShape, dim: usize) -> Self {
        match shape {
            MetricShape::Identity => MetricEstimator::Identity(dim),
            MetricShape::Diagonal => MetricEstimator::Diagonal(WelfordVariance::new(dim)),
            MetricShape::Dense => MetricEstimator::Dense(WelfordCovariance::new(dim)),
            MetricShape::FisherDiagonal => {
                MetricEstimator::FisherDiagonal(WelfordVariance::new(dim), WelfordVariance::new(dim))
            }
            MetricShape::Blocks(blocks) => {
                let block = |(at, shape): &(Vec<usize>, MetricShape)| (at.clone(), Self::new(shape, at.len()));
                MetricEstimator::Blocks(blocks.iter().map(block).collect())
            }
        }
    }

    /// The metric before anything is learned: M⁻¹ = 1, in the shape of the estimate.
    ///
    /// # Errors
    /// If blocks are no partition of the coordinates.
    pub fn unit<E: Dtype>(&self) -> Result<Metric<E>, InvalidMetric> {
        match self {
            MetricEstimator::Identity(dim) => Ok(Metric::Identity(*dim)),
            MetricEstimator::Diagonal(draws) | MetricEstimator::FisherDiagonal(draws, _) => {
                Metric::diagonal(&vec![1.0; draws.mean().len()])
            }
            MetricEstimator::Dense(draws) => {
                let dim = draws.mean().len();
                let unit: Vec<f64> = (0..dim * dim).map(|at| f64::from(u8::from(at / dim == at % dim))).collect();
                Metric::dense(dim, &unit)
            }
            MetricEstimator::Blocks(blocks) => joined(blocks, Self::unit),
        }
    }

    /// Whether there is a number for each coordinate at most, which costs no more than a draw to estimate.
    pub fn is_diagonal(&self) -> bool {
        match self {
            MetricEstimator::Identity(_) | MetricEstimator::Diagonal(_) | MetricEstimator::FisherDiagonal(..) => true,
            MetricEstimator::Dense(_) => false,
            MetricEstimator::Blocks(blocks) => blocks.iter().all(|(_, estimator)| estimator.is_diagonal()),
        }
    }

    /// How many draws were taken in since it last [began anew](Self::restart); those of an identity are not counted.
    pub fn count(&self) -> u64 {
        match self {
            MetricEstimator::Identity(_) => 0,
            MetricEstimator::Diagonal(draws) | MetricEstimator::FisherDiagonal(draws, _) => draws.count(),
            MetricEstimator::Dense(draws) => draws.count(),
            MetricEstimator::Blocks(blocks) => blocks.iter().map(|(_, estimator)| estimator.count()).max().unwrap_or(0),
        }
    }

    /// Takes in a draw and the gradient of the log-density there.
    pub fn add<E: Dtype>(&mut self, position: &[E], gradient: &[E]) {
        match self {
            MetricEstimator::Identity(_) => {}
            MetricEstimator::Diagonal(draws) => draws.add(position),
            MetricEstimator::Dense(draws) => draws.add(position),
            MetricEstimator::FisherDiagonal(draws, gradients) => {
                draws.add(position);
                gradients.add(gradient);
            }
            MetricEstimator::Blocks(blocks) => {
                for (at, estimator) in blocks {
                    let part = |of: &[E]| at.iter().map(|&at| of[at]).collect::<Vec<_>>();
                    estimator.add(&part(position), &part(gradient));
                }
            }
        }
    }

    /// Forgets all draws.
    pub fn restart(&mut self) {
        match self {
            MetricEstimator::Identity(_) => {}
            MetricEstimator::Diagonal(draws) => draws.restart(),
            MetricEstimator::Dense(draws) => draws.restart(),
            MetricEstimator::FisherDiagonal(draws, gradients) => {
                draws.restart();
                gradients.restart();
            }
            MetricEstimator::Blocks(blocks) => blocks.iter_mut().for_each(|(_, estimator)| estimator.restart()),
        }
    }

    /// The metric that the draws speak for. Variances and covariances of n draws are shrunk, as Stan's:
    /// n/(n + 5) of the estimate, and 10⁻³·5/(n + 5) on the diagonal.
    ///
    /// # Errors
    /// If an estimate is not finite, or blocks are no partition of the coordinates.
    pub fn estimate<E: Dtype>(&self) -> Result<Metric<E>, InvalidMetric> {
        match self {
            MetricEstimator::Identity(dim) => Ok(Metric::Identity(*dim)),
            MetricEstimator::Diagonal(draws) => {
                let (keep, add) = shrinkage(draws.count());
                Metric::diagonal(&draws.variance().iter().map(|v| keep * v + add).collect::<Vec<_>>())
            }
            MetricEstimator::Dense(draws) => {
                let (keep, add) = shrinkage(draws.count());
                let dim = draws.mean().len();
                let mut matrix: Vec<f64> = draws.covariance().iter().map(|v| keep * v).collect();
                (0..dim).for_each(|i| matrix[i * dim + i] += add);
                Metric::dense(dim, &matrix)
            }
            MetricEstimator::FisherDiagonal(draws, gradients) => {
                let ratios = draws.variance().into_iter().zip(gradients.variance());
                Metric::diagonal(&ratios.map(|(draws, gradients)| fisher(draws, gradients)).collect::<Vec<_>>())
            }
            MetricEstimator::Blocks(blocks) => joined(blocks, Self::estimate),
        }
    }
}

/// The factor of an estimate from so many draws, and what is added.
fn shrinkage(count: u64) -> (f64, f64) {
    let count = count as f64;
    (count / (count + SHRINKAGE), SMALL * (SHRINKAGE / (count + SHRINKAGE)))
}

/// √(draws / gradients) within bounds; 1 where a chain did not move or the gradient says nothing.
fn fisher(draws: f64, gradients: f64) -> f64 {
    let ratio = (draws / gradients).sqrt();
    if ratio.is_finite() && ratio > 0.0 { ratio.clamp(BOUNDS.0, BOUNDS.1) } else { 1.0 }
}

/// The metric of blocks, each by the same method.
fn joined<E: Dtype>(
    blocks: &[(Vec<usize>, MetricEstimator)],
    metric: impl Fn(&MetricEstimator) -> Result<Metric<E>, InvalidMetric>,
) -> Result<Metric<E>, InvalidMetric> {
    let parts = blocks.iter().map(|(at, estimator)| Ok((at.clone(), metric(estimator)?)));
    Metric::blocks(parts.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learned(shape: &MetricShape, draws: &[[f64; 2]]) -> Metric<f64> {
        let mut estimator = MetricEstimator::new(shape, 2);
        // A normal target with variances 4 and 1/9: the gradient is −x / variance.
        draws.iter().for_each(|draw| estimator.add(draw, &[-draw[0] / 4.0, -draw[1] * 9.0]));
        estimator.estimate().expect("a metric")
    }

    /// The numbers of Stan's src/test/unit/mcmc/{var,covar}_adaptation_test.cpp: ten draws of zero.
    #[test]
    fn draws_that_do_not_move_give_what_they_give_in_stan() {
        let target = 1e-3 * 5.0 / 15.0;
        let (mut diagonal, mut dense) =
            (MetricEstimator::new(&MetricShape::Diagonal, 10), MetricEstimator::new(&MetricShape::Dense, 10));
        for _ in 0..10 {
            diagonal.add(&[0.0; 10], &[0.0; 10]);
            dense.add(&[0.0; 10], &[0.0; 10]);
        }
        let (Ok(Metric::Diagonal(diagonal)), Ok(Metric::Dense(dense))) =
            (diagonal.estimate::<f64>(), dense.estimate::<f64>())
        else {
            panic!("metrics of these shapes")
        };
        assert_eq!(diagonal.variances(), [target; 10]);
        let matrix: Vec<f64> = (0..100).map(|at| if at % 11 == 0 { target } else { 0.0 }).collect();
        assert_eq!(dense.matrix(), matrix);
    }

    #[test]
    fn estimates_are_shrunk() {
        let draws = [[1.0, 2.0], [3.0, -2.0], [-1.0, 0.0]];
        let Metric::Diagonal(diagonal) = learned(&MetricShape::Diagonal, &draws) else { panic!("diagonal") };
        let close = |found: &[f64], expected: &[f64]| {
            assert!(found.iter().zip(expected).all(|(f, e)| (f - e).abs() < 1e-14), "{found:?}, not {expected:?}");
        };
        let variance = 3.0 / 8.0 * 4.0 + 1e-3 * 5.0 / 8.0;
        close(diagonal.variances(), &[variance, variance]);
        let Metric::Dense(dense) = learned(&MetricShape::Dense, &draws) else { panic!("dense") };
        close(dense.matrix(), &[variance, 3.0 / 8.0 * -2.0, 3.0 / 8.0 * -2.0, variance]);
    }

    #[test]
    fn gradients_give_the_variances_of_a_normal_target_exactly() {
        let Metric::Diagonal(metric) = learned(&MetricShape::FisherDiagonal, &[[1.0, 2.0], [3.0, -2.0], [-1.0, 0.0]])
        else {
            panic!("diagonal")
        };
        assert!((metric.variances()[0] - 4.0).abs() < 1e-13, "{:?}", metric.variances());
        assert!((metric.variances()[1] - 1.0 / 9.0).abs() < 1e-14, "{:?}", metric.variances());
        let Metric::Diagonal(still) = learned(&MetricShape::FisherDiagonal, &[[1.0, 2.0]]) else { panic!("diagonal") };
        assert_eq!(still.variances(), [1.0, 1.0]);
    }

    #[test]
    fn blocks_learn_by_themselves() {
        let shape = MetricShape::Blocks(vec![(vec![1], MetricShape::FisherDiagonal), (vec![0], MetricShape::Dense)]);
        let Metric::Blocks(blocks) = learned(&shape, &[[1.0, 2.0], [3.0, -2.0], [-1.0, 0.0]]) else { panic!("blocks") };
        let [first, second] = &blocks[..] else { panic!("two blocks") };
        assert_eq!((first.coordinates(), second.coordinates()), (&[1][..], &[0][..]));
        assert!(matches!((first.metric(), second.metric()), (Metric::Diagonal(_), Metric::Dense(_))));
    }

    #[test]
    fn draws_that_are_not_finite_are_an_error_that_names_the_coordinate() {
        let mut estimator = MetricEstimator::new(&MetricShape::Diagonal, 2);
        [[0.0, 1e200], [0.0, -1e200]].iter().for_each(|draw| estimator.add(draw, &[0.0; 2]));
        assert!(matches!(estimator.estimate::<f64>(), Err(InvalidMetric::Variance { coordinate: 1, .. })));
    }
}
