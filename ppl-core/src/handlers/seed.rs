//! Another generator for a stretch of a run.

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::handler::Handler;
use crate::rng::Rng;

use super::Effect;

/// Draws everything in the model from a seed of its own; the run's generator is untouched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(pub u64);

impl<E: Dtype, D: Backend<E>> Effect<E, D> for Seed {
    fn around(&self, inner: &mut dyn Handler<E, D>, body: &mut dyn FnMut(&mut dyn Handler<E, D>)) {
        let (rng, param_seed) = inner.context().exchange(Rng::seed(self.0), None);
        body(inner);
        inner.context().exchange(rng, param_seed);
    }
}
