//! Any distribution, declared to have draws without a gradient.

use ppl::constraint::Support;
use ppl::distribution::{Distribution, Family, ParameterError};
use ppl::rng::Rng;
use ppl::{Cpu, Tensor};

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
    fn family(&self) -> Option<Family<f64, Cpu>> {
        self.0.family()
    }
    fn check_parameters(&self) -> Result<(), ParameterError> {
        self.0.check_parameters()
    }
    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        self.0.parameters_at(element)
    }
}
