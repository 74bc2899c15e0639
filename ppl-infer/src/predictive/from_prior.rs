//! Latent values from the prior.

use ppl_core::backend::Backend;
use ppl_core::handler::Handler;
use ppl_core::handlers::{Effect, Uncondition};
use ppl_core::{Dtype, Error};

use super::source::{Extent, Place, Source};

/// How many draws are made where nobody says how many.
pub(super) const DEFAULT_DRAWS: usize = 1000;

/// All sites are drawn: a chain of so many draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FromPrior {
    pub(super) draws: usize,
}

impl<A, E: Dtype, D: Backend<E>> Source<A, E, D> for FromPrior {
    fn extent(&self) -> Extent {
        Extent { chains: 1, draws: self.draws, step: 1 }
    }

    fn run(
        &self,
        _: Place,
        _: &A,
        inner: &mut dyn Handler<E, D>,
        body: &mut dyn FnMut(&mut dyn Handler<E, D>),
    ) -> Result<(), Error> {
        Uncondition.around(inner, body);
        Ok(())
    }
}
