//! Gives parameters their values from a store.

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::handler::Handler;
use crate::params::{ParamSite, ParamStore};

/// Supplies every parameter statement that has no value yet from a store, which keeps new ones.
pub struct Params<'h, E: Dtype, D: Backend<E>> {
    inner: &'h mut dyn Handler<E, D>,
    store: &'h mut ParamStore<E, D>,
}

impl<'h, E: Dtype, D: Backend<E>> Params<'h, E, D> {
    /// Parameters of `store` on top of `inner`.
    pub fn new(store: &'h mut ParamStore<E, D>, inner: &'h mut dyn Handler<E, D>) -> Self {
        Params { inner, store }
    }
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for Params<'_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    fn param(&mut self, site: &mut dyn ParamSite<E, D>) {
        if site.value().is_none() {
            let supplied = self.store.supply(site);
            self.inner.context().check(supplied);
        }
        self.inner.param(site);
    }
}
