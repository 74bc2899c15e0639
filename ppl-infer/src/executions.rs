//! All executions of a model whose latent sites are discrete, one after another: exact marginals of what it returns.
//!
//! An execution is a run with certain values of its latent sites. Runs with the first choices given lead to the next ones, so
//! that sites may come and go with the values of others, and recursion need not end: the search then ends at its budget, and
//! says how much of the prior it has not seen. Reference: Goodman and Stuhlmüller, *The Design and Implementation of
//! Probabilistic Programming Languages* (2014), chapters 3 and 5.

use ppl_core::autodiff::no_grad;
use ppl_core::backend::Backend;
use ppl_core::handler::Handler;
use ppl_core::model::{IntoArgs, Model};
use ppl_core::params::ParamStore;
use ppl_core::{Dtype, Error};

// The values of a site.
mod values;
// What is still to be explored.
mod frontier;
// One run.
mod run;
// Runs, until there is nothing left or the budget is spent.
mod search;
// What was found.
mod explored;

pub use explored::Explored;

use search::{Search, Settings};

/// A search through all executions of a model whose latent sites are discrete.
///
/// The values of a site are listed by its distribution; those of a single count without a bound (Poisson, geometric) are listed
/// from the smallest on, as far as the search goes. A site with several elements has every combination of their values.
///
/// `Executions::of(model, args).explore()?` is the posterior of the model's output; in the body of a model, it is a query within a
/// query, as agents make who reason about one another.
#[derive(Clone, Debug)]
pub struct Executions<M, A, E: Dtype, D: Backend<E>> {
    model: M,
    args: A,
    params: ParamStore<E, D>,
    settings: Settings,
}

impl<M, A, E, D> Executions<M, A, E, D>
where
    A: Clone,
    M: Model<A, E = E, D = D>,
    E: Dtype,
    D: Backend<E>,
{
    /// All executions of the model, the most probable first; its parameters, if it has any, take their initial values from seed
    /// 0.
    pub fn of(model: M, args: impl IntoArgs<Args = A>) -> Self {
        Executions { model, args: args.into_args(), params: ParamStore::new(0), settings: Settings::default() }
    }

    /// The values of the model's parameters.
    #[must_use]
    pub fn with_params(mut self, params: &ParamStore<E, D>) -> Self {
        self.params = params.clone();
        self
    }

    /// Follows the most probable choices first, as far as the density of a run's beginning, data included, says so. This is the
    /// default.
    #[must_use]
    pub fn best_first(mut self) -> Self {
        self.settings.best_first = true;
        self
    }

    /// Follows every choice to its end before the next one: the queue stays short.
    #[must_use]
    pub fn depth_first(mut self) -> Self {
        self.settings.best_first = false;
        self
    }

    /// How many runs of the model there are at most, those included that end early because others are more probable; 100,000 by
    /// default.
    #[must_use]
    pub fn budget(mut self, runs: usize) -> Self {
        self.settings.budget = runs;
        self
    }

    /// Ends the search where no more than this much of the prior is unexplored; 10⁻¹² by default.
    #[must_use]
    pub fn until(mut self, unexplored: f64) -> Self {
        self.settings.until = unexplored;
        self
    }

    /// How many choices an execution has at most; what follows longer ones stays unexplored. 1,000 by default.
    #[must_use]
    pub fn longest(mut self, choices: usize) -> Self {
        self.settings.longest = choices;
        self
    }

    /// The posterior of what the model returns, given its data and factors.
    ///
    /// # Errors
    /// The first error of a run; a latent site whose values cannot be listed; a run that is not the same when it is repeated;
    /// data that are impossible in every execution that was explored; a density that is NaN or infinite.
    pub fn explore(&self) -> Result<Explored<M::Output>, Error>
    where
        M::Output: Ord,
    {
        self.explore_as(|output| output)
    }

    /// [`Executions::explore`] of what `key` makes of the model's output.
    ///
    /// # Errors
    /// As there.
    pub fn explore_as<K: Ord>(&self, mut key: impl FnMut(M::Output) -> K) -> Result<Explored<K>, Error> {
        let mut params = self.params.clone();
        let mut explored = Explored::default();
        let mut output = None;
        no_grad(|| {
            let mut search = Search::new(M::NAME, &self.settings, &mut params);
            while let Some(weight) = search.next(&mut |handler: &mut dyn Handler<E, D>| {
                output = Some(self.model.run(handler, self.args.clone()));
            })? {
                if let Some(output) = output.take() {
                    explored.add(key(output), weight);
                }
            }
            explored.end(search.report()?);
            Ok(explored)
        })
    }
}
