//! Points of a grid: draws without a gradient, which are no tensors.

use std::sync::Arc;

use ppl::constraint::{IntegerRange, Support};
use ppl::distribution::{Distribution, ParameterError};
use ppl::rng::Rng;
use ppl::{Cpu, Rank1, Tensor};
use rand::Rng as _;

/// One of `K` points, with probabilities proportional to exp(logits).
#[derive(Clone, Debug)]
pub(crate) struct Grid<const K: usize>(pub(crate) Tensor<Rank1<K>, f64>);

impl<const K: usize> Distribution<f64, Cpu> for Grid<K> {
    type Value = usize;
    type Batch = ();

    fn name(&self) -> &'static str {
        "Grid"
    }
    fn batch_shape(&self) {}
    fn draw(&self, rng: &mut Rng) -> usize {
        let weights: Vec<f64> = self.0.to_vec().into_iter().map(f64::exp).collect();
        let mut left = rng.r#gen::<f64>() * weights.iter().sum::<f64>();
        for (point, weight) in weights.iter().enumerate() {
            if left < *weight {
                return point;
            }
            left -= weight;
        }
        K - 1
    }
    fn has_rsample(&self) -> bool {
        false
    }
    fn log_prob(&self, &point: &usize) -> Tensor<(), f64> {
        self.0.at(point) - self.0.logsumexp::<(), _>()
    }
    fn support(&self) -> Support<f64, Cpu> {
        Arc::new(IntegerRange { high: K - 1 })
    }
    fn check_parameters(&self) -> Result<(), ParameterError> {
        Ok(())
    }
    fn parameters_at(&self, _: usize) -> Vec<(&'static str, f64)> {
        Vec::new()
    }
}
