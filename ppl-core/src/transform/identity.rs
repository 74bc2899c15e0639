//! The map that changes nothing.

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::tensor::Tensor;

use super::{Flat, Transform};

/// y = x.
#[derive(Clone, Copy, Debug, Default)]
pub struct Identity;

impl<E: Dtype, D: Backend<E>> Transform<E, D> for Identity {
    fn name(&self) -> &'static str {
        "Identity"
    }

    fn forward(&self, x: Flat<E, D>) -> Flat<E, D> {
        x
    }

    fn inverse(&self, y: Flat<E, D>) -> Flat<E, D> {
        y
    }

    fn log_abs_det(&self, x: &Flat<E, D>, _: &Flat<E, D>) -> Flat<E, D> {
        Tensor::full_like(E::of(0.0), x.shape())
    }
}
