//! Cuts draws off from differentiation.

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::handler::Handler;
use crate::site::SampleSite;

use super::Effect;

/// Makes a constant of every value that is drawn or set, so that no gradient reaches the parameters of its
/// distribution through it: only log-densities carry gradients.
#[derive(Clone, Copy, Debug)]
pub struct Detach;

/// The handler of [`Detach`].
pub struct Detached<'h, E: Dtype, D: Backend<E>> {
    inner: &'h mut dyn Handler<E, D>,
}

impl<'h, E: Dtype, D: Backend<E>> Detached<'h, E, D> {
    /// Values without gradients on top of `inner`.
    pub fn new(inner: &'h mut dyn Handler<E, D>) -> Self {
        Detached { inner }
    }
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for Detached<'_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
        self.inner.sample(site);
        if site.state().is_random()
            && let Some(value) = site.value().map(|value| value.detached())
        {
            let set = site.set_value(&*value, "detach");
            self.inner.context().check(set);
        }
    }
}

impl<E: Dtype, D: Backend<E>> Effect<E, D> for Detach {
    fn around(&self, inner: &mut dyn Handler<E, D>, body: &mut dyn FnMut(&mut dyn Handler<E, D>)) {
        body(&mut Detached::new(inner));
    }
}
