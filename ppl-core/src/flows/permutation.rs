//! Reordered variables, between flows that treat them differently.

use rand::seq::SliceRandom;

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::params::{Init, Module, Visitor, VisitorMut};
use crate::transform::Permute;

use super::Flow;

impl Permute {
    /// The last number first.
    pub fn reversed(len: usize) -> Self {
        Permute::new((0..len).rev().collect()).expect("a permutation")
    }

    /// An order drawn at random. It is no parameter: a saved run draws it again from the same seed.
    pub fn random<E: Dtype, D: Backend<E>>(init: &mut Init<E, D>, len: usize) -> Self {
        let mut order: Vec<usize> = (0..len).collect();
        order.shuffle(init.rng());
        Permute::new(order).expect("a permutation")
    }
}

/// No parameters.
impl<E: Dtype, D: Backend<E>> Module<E, D> for Permute {
    fn visit(&self, _: &mut Visitor<'_, E, D>) {}

    fn visit_mut(&mut self, _: &mut VisitorMut<'_, E, D>) {}
}

impl<E: Dtype, D: Backend<E>> Flow<E, D> for Permute {
    fn copied(&self) -> Box<dyn Flow<E, D>> {
        Box::new(self.clone())
    }
}
