//! Gives several sites the value of the first of them.

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::handler::Handler;
use crate::site::{SampleSite, SiteKind};
use crate::values::AnyValue;

use super::Effect;

/// Which sites have the same value: that of the one which a run meets first. As Pyro's `equalize`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Equalize {
    sites: Vec<String>,
    keep_densities: bool,
}

impl Equalize {
    /// These sites: full names, or patterns in which `{}` stands for an index. Only the first one's density counts.
    pub fn new<N: Into<String>>(sites: impl IntoIterator<Item = N>) -> Self {
        Equalize { sites: sites.into_iter().map(Into::into).collect(), keep_densities: false }
    }

    /// The densities of all of them count: a product of densities, which is none that is normalised.
    #[must_use]
    pub fn keep_densities(mut self) -> Self {
        self.keep_densities = true;
        self
    }
}

/// The handler of [`Equalize`].
struct EqualizeHandler<'h, E: Dtype, D: Backend<E>> {
    inner: &'h mut dyn Handler<E, D>,
    effect: &'h Equalize,
    first: Option<Box<dyn AnyValue>>,
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for EqualizeHandler<'_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
        let state = site.state();
        if !state.is_random() || !self.effect.sites.iter().any(|name| state.address.is_named(name)) {
            return self.inner.sample(site);
        }
        if let Some(first) = self.first.as_ref().filter(|_| !site.has_value()) {
            let set = site.set_value(&**first, "equalize");
            if set.is_ok() && !self.effect.keep_densities {
                site.state_mut().kind = SiteKind::Intervened;
            }
            self.inner.context().check(set);
        }
        self.inner.sample(site);
        if self.first.is_none() {
            self.first = site.value().map(AnyValue::boxed);
        }
    }
}

impl<E: Dtype, D: Backend<E>> Effect<E, D> for Equalize {
    fn around(&self, inner: &mut dyn Handler<E, D>, body: &mut dyn FnMut(&mut dyn Handler<E, D>)) {
        body(&mut EqualizeHandler { inner, effect: self, first: None });
    }
}
