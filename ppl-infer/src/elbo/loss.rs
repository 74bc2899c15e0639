//! A plain function as an objective.

use ppl_core::backend::Backend;
use ppl_core::{Dtype, Error, Tensor};

use super::Objective;
use crate::runs::Runs;

/// A loss that a function makes of runs of guide and model; its gradient is what is followed.
///
/// ```
/// use ppl_core::{Cpu, Tensor};
/// use ppl_infer::elbo::Loss;
/// use ppl_infer::pair::Ask;
/// use ppl_infer::runs::Runs;
/// // The evidence lower bound of one pathwise run.
/// let loss = Loss::new(|runs: &mut dyn Runs<f64, Cpu>| {
///     let pair = runs.pair(0, Ask::default())?;
///     Ok(pair.guide.log_prob_sum() - pair.model.log_prob_sum())
/// });
/// # let _ = loss;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Loss<F>(F);

impl<F> Loss<F> {
    /// The loss that `f` makes of the runs.
    pub fn new<E: Dtype, D: Backend<E>>(f: F) -> Self
    where
        F: Fn(&mut dyn Runs<E, D>) -> Result<Tensor<(), E, D>, Error>,
    {
        Loss(f)
    }
}

impl<E: Dtype, D: Backend<E>, F> Objective<E, D> for Loss<F>
where
    F: Fn(&mut dyn Runs<E, D>) -> Result<Tensor<(), E, D>, Error>,
{
    fn surrogate(&mut self, runs: &mut dyn Runs<E, D>) -> Result<(f64, Tensor<(), E, D>), Error> {
        let loss = (self.0)(runs)?;
        Ok((loss.item().wide(), loss))
    }

    fn loss(&self, runs: &mut dyn Runs<E, D>) -> Result<f64, Error> {
        Ok((self.0)(runs)?.item().wide())
    }
}
