//! A distribution over numbers without its type: a name and parameters.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::tensor::Flat;

/// A family over numbers with its parameters, all batch axes flat: what a closed divergence between two
/// distributions of any types needs.
#[derive(Clone, Debug)]
pub struct Family<E: Dtype, D: Backend<E>> {
    /// The family's name, as in errors.
    pub name: &'static str,
    /// The parameters in the family's order, each of one number or of `len`.
    pub parameters: SmallVec<[Flat<E, D>; 3]>,
    /// How many numbers it is over.
    pub len: usize,
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
