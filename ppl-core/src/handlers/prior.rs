//! The innermost handler: draws what nobody has set, and holds the state of the run.

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::handler::{Context, Handler};
use crate::params::{Init, ParamSite};
use crate::plate::Plate;
use crate::rng::Rng;
use crate::site::SampleSite;

/// Draws from the prior. Parameters that no handler further out has supplied take fresh initial
/// values.
#[derive(Clone, Debug)]
pub struct Prior {
    context: Context,
}

impl Prior {
    /// A run whose randomness comes from `rng`.
    pub fn new(rng: Rng) -> Self {
        Prior { context: Context::new(rng) }
    }

    /// A run whose randomness comes from a seed.
    pub fn seeded(seed: u64) -> Self {
        Self::new(Rng::seed(seed))
    }

    /// The state of the run.
    pub fn into_context(self) -> Context {
        self.context
    }
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for Prior {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self
    }

    fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
        if !site.has_value() {
            site.draw(&mut self.context.rng);
        }
    }

    fn param(&mut self, site: &mut dyn ParamSite<E, D>) {
        if site.value().is_none() {
            let rng = Rng::named(self.context.param_seed(), site.address().as_str());
            let initialised = site.initialise(&mut Init::new(rng));
            self.context.check(initialised);
        }
    }

    fn enter_plate(&mut self, plate: &mut Plate) {
        self.context.open(plate);
    }

    fn exit_plate(&mut self, plate: &Plate) {
        self.context.close(plate);
    }

    fn context(&mut self) -> &mut Context {
        &mut self.context
    }
}
