//! The contract of where a run's latent values come from.

use std::fmt;

use ppl_core::backend::Backend;
use ppl_core::handler::Handler;
use ppl_core::rng::Rng;
use ppl_core::{Dtype, Error};

/// A draw by chain and number, both counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The chain.
    pub chain: usize,
    /// The number of the draw in its chain.
    pub draw: usize,
}

/// How many streams of a seed belong to a chain.
const STREAMS: u64 = 1 << 40;

impl Place {
    /// The generator of this draw: a stream of the seed of its own, whatever else is drawn.
    pub fn rng(self, seed: u64) -> Rng {
        Rng::stream(seed, (self.chain as u64).wrapping_mul(STREAMS).wrapping_add(self.draw as u64))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "draw {} of chain {}", self.draw, self.chain)
    }
}

/// How many draws of how many chains are predicted from: each `step`-th one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// The number of chains.
    pub chains: usize,
    /// The number of draws of each chain that are used.
    pub draws: usize,
    /// From one draw that is used to the next.
    pub step: usize,
}

impl Extent {
    /// The draws in order, chain after chain.
    pub fn places(self) -> impl ExactSizeIterator<Item = Place> {
        (0..self.chains * self.draws).map(move |number| self.place(number))
    }

    /// The draw of that number, counted from 0 through all chains.
    pub(super) fn place(self, number: usize) -> Place {
        Place { chain: number / self.draws, draw: number % self.draws * self.step }
    }
}

/// Where the latent values of a run come from: the prior, draws, a guide, or something of one's own.
pub trait Source<A, E: Dtype, D: Backend<E>> {
    /// Which draws there are.
    fn extent(&self) -> Extent;

    /// Runs the model by calling `body` once, with handlers on top of `inner` that give latent sites their
    /// values in the draw `place` and forget observations.
    ///
    /// # Errors
    /// A site that the draw and the model do not both have. What is wrong in a run goes to its context.
    fn run(
        &self,
        place: Place,
        args: &A,
        inner: &mut dyn Handler<E, D>,
        body: &mut dyn FnMut(&mut dyn Handler<E, D>),
    ) -> Result<(), Error>;

    /// Whether the value of the site `name` with these sizes is one that the user has already, and not one that
    /// this run draws.
    fn has(&self, name: &str, dims: &[usize]) -> bool {
        let _ = (name, dims);
        false
    }
}
