//! Multiplies the log-densities of a model.

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::error::Error;
use crate::handler::Handler;
use crate::site::SampleSite;

use super::Effect;

/// Multiplies every log-density by a positive number; nested scales multiply.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale(pub f64);

/// The handler of [`Scale`].
struct ScaleHandler<'h, E: Dtype, D: Backend<E>> {
    inner: &'h mut dyn Handler<E, D>,
    effect: &'h Scale,
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for ScaleHandler<'_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
        if self.effect.0 > 0.0 && self.effect.0.is_finite() {
            site.state_mut().scale *= self.effect.0;
        } else {
            let problem = format!("a scale must be positive and finite, but it is {}", self.effect.0);
            self.inner.context().report(Error::Site { site: site.name().to_owned(), problem });
        }
        self.inner.sample(site);
    }
}

impl<E: Dtype, D: Backend<E>> Effect<E, D> for Scale {
    fn around(&self, inner: &mut dyn Handler<E, D>, body: &mut dyn FnMut(&mut dyn Handler<E, D>)) {
        body(&mut ScaleHandler { inner, effect: self });
    }
}
