//! Distributions whose draws carry no gradient: any other one so declared, a coin, points of a grid.

use std::sync::Arc;

use ppl::constraint::{Boolean, IntegerRange, Support};
use ppl::distribution::{Distribution, ParameterError};
use ppl::rng::Rng;
use ppl::{Cpu, Rank1, Shape, Tensor};
use rand::Rng as _;

/// A distribution that says its draws have no gradient. It leaves them tracked: to cut them off is
/// the site's task.
#[derive(Clone, Debug)]
pub(crate) struct Scored<P>(pub(crate) P);

impl<P: Distribution<f64, Cpu>> Distribution<f64, Cpu> for Scored<P> {
    type Value = P::Value;
    type Batch = P::Batch;

    fn name(&self) -> &'static str {
        "Scored"
    }
    fn batch_shape(&self) -> P::Batch {
        self.0.batch_shape()
    }
    fn draw(&self, rng: &mut Rng) -> P::Value {
        self.0.draw(rng)
    }
    fn has_rsample(&self) -> bool {
        false
    }
    fn log_prob(&self, value: &P::Value) -> Tensor<P::Batch, f64> {
        self.0.log_prob(value)
    }
    fn support(&self) -> Support<f64, Cpu> {
        self.0.support()
    }
    fn check_parameters(&self) -> Result<(), ParameterError> {
        self.0.check_parameters()
    }
    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        self.0.parameters_at(element)
    }
}

/// 1 with probability sigmoid(logit), else 0.
#[derive(Clone, Debug)]
pub(crate) struct Coin<S: Shape>(pub(crate) Tensor<S, f64>);

impl<S: Shape> Distribution<f64, Cpu> for Coin<S> {
    type Value = Tensor<S, f64>;
    type Batch = S;

    fn name(&self) -> &'static str {
        "Coin"
    }
    fn batch_shape(&self) -> S {
        self.0.shape()
    }
    fn draw(&self, rng: &mut Rng) -> Tensor<S, f64> {
        let heads = |p: f64| f64::from(rng.r#gen::<f64>() < p);
        Tensor::from_vec(self.0.sigmoid().to_vec().into_iter().map(heads).collect(), self.0.shape())
    }
    fn has_rsample(&self) -> bool {
        false
    }
    fn log_prob(&self, value: &Tensor<S, f64>) -> Tensor<S, f64> {
        value * &self.0 - self.0.softplus()
    }
    fn support(&self) -> Support<f64, Cpu> {
        Arc::new(Boolean)
    }
    fn check_parameters(&self) -> Result<(), ParameterError> {
        Ok(())
    }
    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        vec![("logit", self.0.to_vec()[element])]
    }
}

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
