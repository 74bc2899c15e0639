//! A stationary autoregression of a hundred steps: every number is standard normal, neighbours correlate by 0.95, and a
//! diagonal metric does not help.

use std::sync::Arc;

use ppl::backend::Backend;
use ppl::infer::ModelDensity;
use ppl::prelude::*;

use super::Task;

/// How many steps.
pub(crate) const STEPS: usize = 100;
/// The correlation of neighbours.
pub(crate) const RHO: f64 = 0.95;

/// A flat prior on the path, whose steps are then observed to be normal.
#[model(dtype = E)]
pub(crate) fn autoregression<E: Dtype>(rho: f64) -> Tensor<Rank1<STEPS>, E>
where
    Cpu: Backend<E>,
{
    let x: Tensor<Rank1<STEPS>, E> = sample!("x", ImproperUniform::new(Arc::new(RealVector), (), Rank1::default()));
    let before: Tensor<(usize,), E> = x.slice(&[0..STEPS - 1]);
    let after: Tensor<(usize,), E> = x.slice(&[1..STEPS]);
    sample!("first", Normal::standard(), obs = x.at(0));
    sample!("steps", Normal::new(before * E::of(rho), (1.0 - rho * rho).sqrt()).to_event::<Axis<0>>(), obs = after);
    x
}

/// Does a task with the model.
pub(crate) fn with<E: Dtype, T: Task<E>>(task: T) -> T::Output
where
    Cpu: Backend<E>,
{
    task.run(ModelDensity::new(autoregression::<E>(), (RHO,)).expect("a continuous model"))
}
