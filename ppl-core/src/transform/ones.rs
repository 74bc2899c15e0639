//! Onto sets of one element.

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::tensor::Tensor;

use super::{Flat, Transform};

/// From no numbers onto so many ones, each an event: a simplex of one probability, a correlation
/// matrix of one row.
#[derive(Clone, Copy, Debug)]
pub struct Ones {
    count: usize,
}

impl Ones {
    /// Onto `count` ones.
    pub fn new(count: usize) -> Self {
        Ones { count }
    }
}

impl<E: Dtype, D: Backend<E>> Transform<E, D> for Ones {
    fn name(&self) -> &'static str {
        "Ones"
    }
    fn event_lens(&self) -> (usize, usize) {
        (0, 1)
    }
    fn forward(&self, _: Flat<E, D>) -> Flat<E, D> {
        Tensor::full_like(E::of(1.0), (self.count,))
    }
    fn inverse(&self, _: Flat<E, D>) -> Flat<E, D> {
        Tensor::vector(Vec::new())
    }
    fn log_abs_det(&self, _: &Flat<E, D>, _: &Flat<E, D>) -> Flat<E, D> {
        Tensor::full_like(E::of(0.0), (self.count,))
    }
}
