//! Puts all names of a model under a scope.

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::handler::Handler;

use super::Effect;

/// The scope: the site `x` becomes `scope/x`, as in a submodel of that name; parameters and plates too.
///
/// Effects around and within it see the longer names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope(pub String);

impl<E: Dtype, D: Backend<E>> Effect<E, D> for Scope {
    fn around(&self, inner: &mut dyn Handler<E, D>, body: &mut dyn FnMut(&mut dyn Handler<E, D>)) {
        let entered = inner.context().enter(&self.0);
        body(inner);
        inner.context().leave(entered);
    }
}
