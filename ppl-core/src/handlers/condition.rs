//! Observes values: the sites named become data.

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::handler::Handler;
use crate::site::SampleSite;
use crate::values::ValueMap;

use super::Effect;

/// Gives sites their values as data, so that they are scored as observations.
#[derive(Clone, Debug)]
pub struct Condition(pub ValueMap);

/// The handler of [`Condition`].
struct ConditionHandler<'h, E: Dtype, D: Backend<E>> {
    inner: &'h mut dyn Handler<E, D>,
    effect: &'h Condition,
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for ConditionHandler<'_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
        if let Some(value) = self.effect.0.get(site.name()) {
            let set = site.set_value(value, "condition");
            site.state_mut().observed = set.is_ok();
            self.inner.context().check(set);
        }
        self.inner.sample(site);
    }
}

impl<E: Dtype, D: Backend<E>> Effect<E, D> for Condition {
    fn around(&self, inner: &mut dyn Handler<E, D>, body: &mut dyn FnMut(&mut dyn Handler<E, D>)) {
        body(&mut ConditionHandler { inner, effect: self });
    }
}
