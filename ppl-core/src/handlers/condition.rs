//! Observes values: the sites named become data.

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::error::Error;
use crate::handler::Handler;
use crate::site::{SampleSite, SiteKind};
use crate::values::{AnyValue, ValueMap};

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
            let observed = observe(site, value);
            self.inner.context().check(observed);
        }
        self.inner.sample(site);
    }
}

/// Makes the value data. An intervention that was there first has the last word.
fn observe<E: Dtype, D: Backend<E>>(site: &mut dyn SampleSite<E, D>, value: &dyn AnyValue) -> Result<(), Error> {
    match site.state().kind {
        SiteKind::Intervened => Ok(()),
        SiteKind::Factor | SiteKind::Deterministic => {
            let problem = "it is not random, so it cannot be observed; condition a sample site, or intervene".into();
            Err(Error::Site { site: site.name().to_owned(), problem })
        }
        SiteKind::Sample | SiteKind::Auxiliary => {
            site.set_value(value, "condition")?;
            site.state_mut().observed = true;
            Ok(())
        }
    }
}

impl<E: Dtype, D: Backend<E>> Effect<E, D> for Condition {
    fn around(&self, inner: &mut dyn Handler<E, D>, body: &mut dyn FnMut(&mut dyn Handler<E, D>)) {
        body(&mut ConditionHandler { inner, effect: self });
    }
}
