//! A density that counts how often it is evaluated, so that neither sampler's own statistic is believed.

use std::cell::Cell;

use ppl::Dtype;
use ppl::infer::LogDensity;

/// A density, and where its evaluations are counted.
pub(crate) struct Counted<'d, D> {
    pub(crate) density: &'d mut D,
    pub(crate) evaluations: &'d Cell<u64>,
}

impl<E: Dtype, D: LogDensity<E>> LogDensity<E> for Counted<'_, D> {
    type Error = D::Error;

    fn dim(&self) -> usize {
        self.density.dim()
    }

    fn evaluate(&mut self, position: &[E], gradient: &mut [E]) -> Result<f64, D::Error> {
        self.evaluations.set(self.evaluations.get() + 1);
        self.density.evaluate(position, gradient)
    }
}
