//! What an objective can ask for: runs of guide and model by number, and the parameters.

use ppl_core::backend::Backend;
use ppl_core::params::ParamStore;
use ppl_core::trace::{Keep, Trace};
use ppl_core::{Dtype, Error, Tensor};

use crate::enumeration::Enumerated;
use crate::pair::{Ask, Pair, Replica};

// The runs of a model and its guide on some arguments.
mod programs;

pub use programs::Programs;

/// The runs of a step. Every number has its own stream of randomness, so that the same number gives the same
/// draws, whatever else is asked for and in whatever order.
pub trait Runs<E: Dtype, D: Backend<E>> {
    /// A run of the guide, and one of the model at its values.
    ///
    /// # Errors
    /// Those of the runs, and the first site at which the two do not fit.
    fn pair(&mut self, particle: u64, ask: Ask) -> Result<Pair<E, D>, Error>;

    /// A run of the model from its prior, observations drawn too, and the guide at its values: [`Pair::dream`].
    ///
    /// # Errors
    /// Those of the runs, and the first site at which the two do not fit.
    fn dream(&mut self, particle: u64, keep: Keep) -> Result<Pair<E, D>, Error>;

    /// All values of the sites that guide and model mark `enumerate`, given a draw of the guide's others.
    ///
    /// # Errors
    /// Those of the runs, the first site at which the two do not fit, and as [`Enumerated::of`].
    fn enumerated(&mut self, particle: u64) -> Result<Enumerated<E, D>, Error>;

    /// A run of the model alone from its prior, the observations as given: [`prior_draw`](crate::pair::prior_draw).
    ///
    /// # Errors
    /// The first error of the run.
    fn prior(&mut self, particle: u64, keep: Keep) -> Result<Trace<E, D>, Error>;

    /// The runs 0, 1, … of guide and model with drawn observations, all with the same rows of plates, so that they
    /// replicate the same data: [`Replica`].
    ///
    /// # Errors
    /// Those of the runs, and the first site at which the two do not fit.
    fn replicas(&mut self, count: u64, keep: Keep) -> Result<Vec<Replica<E, D>>, Error>;

    /// The parameters, for those of the objective's own.
    fn params(&mut self) -> &mut ParamStore<E, D>;

    /// What `each` makes of the pairs 0, 1, …: a number of every one, and the sum of all tensors.
    ///
    /// # Errors
    /// The error of the first pair that has one.
    fn each_pair(&mut self, count: u64, ask: Ask, each: Each<'_, E, D>) -> Result<Terms<E, D>, Error> {
        let mut terms = Terms { numbers: Vec::new(), sum: Tensor::zeros() };
        let mut tensors = Vec::new();
        for particle in 0..count {
            let (number, tensor) = each(&self.pair(particle, ask)?)?;
            terms.numbers.push(number);
            tensors.push(tensor);
        }
        terms.sum = ppl_core::trace::total(tensors);
        Ok(terms)
    }

    /// [`Runs::each_pair`] with the pairs spread over threads, each with a tape of its own. Numbers are the same
    /// whatever the number of threads; the gradient of the sum is that of [`Runs::each_pair`] but for rounding
    /// (its value is not).
    ///
    /// # Errors
    /// As [`Runs::each_pair`].
    fn each_pair_in_parallel(&mut self, count: u64, ask: Ask, each: Each<'_, E, D>) -> Result<Terms<E, D>, Error> {
        self.each_pair(count, ask, each)
    }
}

/// What is made of a pair: a number, and a tensor with a gradient.
pub type Each<'a, E, D> = &'a (dyn Fn(&Pair<E, D>) -> Result<(f64, Tensor<(), E, D>), Error> + Sync);

/// What was made of several pairs.
#[derive(Clone, Debug)]
pub struct Terms<E: Dtype, D: Backend<E>> {
    /// The number of each pair, in order.
    pub numbers: Vec<f64>,
    /// The sum of the tensors.
    pub sum: Tensor<(), E, D>,
}
