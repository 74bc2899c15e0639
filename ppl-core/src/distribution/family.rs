//! A distribution without its type: a name and parameters.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::tensor::Flat;

/// A family with its parameters, all batch axes flat: what a closed divergence between two distributions of any
/// types needs. It is over numbers, or over rows of them.
#[derive(Clone, Debug)]
pub struct Family<E: Dtype, D: Backend<E>> {
    /// The family's name, as in errors.
    pub name: &'static str,
    /// The parameters in the family's order. Over numbers: each of one number or of `len`. Over rows: the row or
    /// matrix of each element, or of the first few, of which element i has that of i modulo their number.
    pub parameters: SmallVec<[Flat<E, D>; 3]>,
    /// How many elements it has.
    pub len: usize,
    /// How many numbers one element is; 1 over numbers.
    pub event: usize,
    /// Which of them count; all without it.
    pub mask: Option<Arc<[bool]>>,
}

impl<E: Dtype, D: Backend<E>> Family<E, D> {
    /// The same with fewer elements that count: those where both masks are true.
    #[must_use]
    pub fn masked(mut self, mask: &[bool]) -> Self {
        self.mask = Some(match &self.mask {
            Some(before) => before.iter().zip(mask).map(|(&a, &b)| a && b).collect(),
            None => mask.into(),
        });
        self
    }
}
