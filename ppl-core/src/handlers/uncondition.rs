//! Forgets observations, so that data are drawn from their distributions.

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::handler::Handler;
use crate::site::{SampleSite, SiteKind};

use super::Effect;

/// Forgets every observation of the model: a prior predictive run.
#[derive(Clone, Copy, Debug)]
pub struct Uncondition;

/// The handler of [`Uncondition`].
struct UnconditionHandler<'h, E: Dtype, D: Backend<E>> {
    inner: &'h mut dyn Handler<E, D>,
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for UnconditionHandler<'_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
        if site.is_observed() && site.state().kind == SiteKind::Sample {
            site.clear_value();
            site.state_mut().observed = false;
        }
        self.inner.sample(site);
    }
}

impl<E: Dtype, D: Backend<E>> Effect<E, D> for Uncondition {
    fn around(&self, inner: &mut dyn Handler<E, D>, body: &mut dyn FnMut(&mut dyn Handler<E, D>)) {
        body(&mut UnconditionHandler { inner });
    }
}
