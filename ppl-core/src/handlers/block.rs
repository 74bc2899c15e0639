//! Hides sites from the handlers further in: they are drawn, and nobody hears of it.

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::handler::Handler;
use crate::site::SampleSite;

use super::Effect;

/// Which sites are hidden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// Every site.
    All,
    /// These, by full name.
    Hide(Vec<String>),
    /// All but these.
    Expose(Vec<String>),
}

impl Block {
    fn hides(&self, name: &str) -> bool {
        match self {
            Block::All => true,
            Block::Hide(names) => names.iter().any(|n| n == name),
            Block::Expose(names) => names.iter().all(|n| n != name),
        }
    }
}

/// The handler of [`Block`].
struct BlockHandler<'h, E: Dtype, D: Backend<E>> {
    inner: &'h mut dyn Handler<E, D>,
    effect: &'h Block,
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for BlockHandler<'_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
        if !self.effect.hides(site.name()) {
            self.inner.sample(site);
        } else if !site.has_value() {
            site.draw(&mut self.inner.context().rng);
        }
    }
}

impl<E: Dtype, D: Backend<E>> Effect<E, D> for Block {
    fn around(&self, inner: &mut dyn Handler<E, D>, body: &mut dyn FnMut(&mut dyn Handler<E, D>)) {
        body(&mut BlockHandler { inner, effect: self });
    }
}
