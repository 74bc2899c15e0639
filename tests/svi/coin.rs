//! A coin: draws without a gradient.

use std::sync::Arc;

use ppl::backend::Backend;
use ppl::constraint::{Boolean, Support};
use ppl::distribution::{Distribution, ParameterError};
use ppl::rng::Rng;
use ppl::{Cpu, Dtype, Shape, Tensor};
use rand::Rng as _;

/// 1 with probability sigmoid(logit), else 0.
#[derive(Clone, Debug)]
pub(crate) struct Coin<S: Shape, E: Dtype = f64>(pub(crate) Tensor<S, E>)
where
    Cpu: Backend<E>;

impl<S: Shape, E: Dtype> Distribution<E, Cpu> for Coin<S, E>
where
    Cpu: Backend<E>,
{
    type Value = Tensor<S, E>;
    type Batch = S;

    fn name(&self) -> &'static str {
        "Coin"
    }
    fn batch_shape(&self) -> S {
        self.0.shape()
    }
    fn draw(&self, rng: &mut Rng) -> Tensor<S, E> {
        let heads = |p: E| E::of(f64::from(rng.r#gen::<f64>() < p.wide()));
        Tensor::from_vec(self.0.sigmoid().to_vec().into_iter().map(heads).collect(), self.0.shape())
    }
    fn has_rsample(&self) -> bool {
        false
    }
    fn log_prob(&self, value: &Tensor<S, E>) -> Tensor<S, E> {
        value * &self.0 - self.0.softplus()
    }
    fn support(&self) -> Support<E, Cpu> {
        Arc::new(Boolean)
    }
    fn check_parameters(&self) -> Result<(), ParameterError> {
        Ok(())
    }
    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        vec![("logit", self.0.to_vec()[element].wide())]
    }
}
