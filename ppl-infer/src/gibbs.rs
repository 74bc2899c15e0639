//! Gibbs sampling of a model: every block of latent sites has a kernel of its own, which moves it given the values of
//! all others.
//!
//! A kernel that leaves the conditional of its block invariant leaves the posterior invariant, and so do several, one
//! after another. Held sites keep their constrained values; their densities count as far as the block changes them.

use ppl_core::autodiff::no_grad;
use ppl_core::backend::Backend;
use ppl_core::model::{IntoArgs, Model};
use ppl_core::params::ParamStore;
use ppl_core::rng::Rng;
use ppl_core::{Dtype, Error};

use crate::chains::{Mcmc, McmcError, McmcOptions};
use crate::draws::{Variable, layout};
use crate::model_density::named::List;
use crate::model_density::start::Start;
use crate::target::InitStrategy;

// What the caller must mend.
mod error;
// The contract of kernels that users write.
mod block_kernel;
// How blocks can move.
mod rule;
// The latent sites of a model.
pub(crate) mod latent;
// The joint density as runs of the model.
mod joint;
// Which sites belong to which block.
mod partition;
// Log-densities by the elements of plates.
mod terms;
// Exact draws of discrete sites.
mod enumerate;
// Discrete sites by proposals.
mod discrete_metropolis;
// Continuous sites by tuned kernels.
mod tuned;
// Sites by kernels of the user's.
mod conditional;
// The sampler of a chain.
mod sampler;
// Saving it, and going on.
mod saved;

pub use block_kernel::{BlockKernel, CloneKernel, Conditional};
pub use error::GibbsError;
pub use rule::{DiscreteMetropolis, Enumerate, Gradient, Rule, Tuned};
pub use sampler::GibbsSampler;

use joint::{Program, Runs};
use latent::Latent;
use sampler::Parts;

/// A Gibbs sampler of a model: which blocks there are, and how each moves.
///
/// Every latent site stands in exactly one block. Names are full names, or patterns in which `{}` stands for the
/// indices of a family: `z_{}` is `z_0`, `z_1`, and so on. In each step the blocks move in the order in which they were
/// given.
///
/// Every run must have the same latent sites, of the same sizes, whatever their values are: a site that only some values
/// of others bring about is an error that names it.
#[derive(Clone, Debug)]
pub struct Gibbs<M, A, E: Dtype, D: Backend<E>> {
    program: Program<M, A, E, D>,
    latents: Vec<Latent>,
    variables: Vec<Variable>,
    blocks: Vec<(Vec<String>, Rule)>,
}

impl<A, M, E, D> Gibbs<M, A, E, D>
where
    A: Clone,
    M: Model<A, E = E, D = D>,
    E: Dtype,
    D: Backend<E>,
{
    /// A sampler without blocks. The model's parameters, if it has any, take their initial values from seed 0.
    ///
    /// # Errors
    /// The first error of a run; a plate that draws a subsample.
    pub fn new(model: M, args: impl IntoArgs<Args = A>) -> Result<Self, GibbsError> {
        Self::with_params(model, args, ParamStore::new(0))
    }

    /// [`Gibbs::new`] with the values of the model's parameters, which do not move.
    ///
    /// # Errors
    /// As there.
    pub fn with_params(model: M, args: impl IntoArgs<Args = A>, params: ParamStore<E, D>) -> Result<Self, GibbsError> {
        let mut program = Program { model, args: args.into_args(), params };
        let latents = sampler::find(&mut program)?;
        let variables = variables(&mut program)?;
        Ok(Gibbs { program, latents, variables, blocks: Vec::new() })
    }

    /// Adds a block: the names of its sites, and how it moves.
    ///
    /// Continuous sites take [`NutsOptions`](crate::mcmc::NutsOptions), [`HmcOptions`](crate::mcmc::HmcOptions),
    /// [`MetropolisOptions`](crate::mcmc::MetropolisOptions), or one of these with more to say, as a [`Tuned`];
    /// discrete ones [`Enumerate`] or [`DiscreteMetropolis`]; any sites a [`BlockKernel`].
    #[must_use]
    pub fn block<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>, rule: impl Into<Rule>) -> Self {
        self.blocks.push((names.into_iter().map(Into::into).collect(), rule.into()));
        self
    }

    /// A chain's sampler at its beginning, which tunes itself in its first `warmup` steps.
    ///
    /// # Errors
    /// A name without a site; a site in no block, or in two, or in one whose kernel cannot move it; if no initial
    /// values will do; if no step size suits; the first error of a run.
    pub fn sampler(
        &self,
        warmup: usize,
        init: &InitStrategy,
        rng: &mut Rng,
    ) -> Result<GibbsSampler<M, A, E, D>, GibbsError>
    where
        M: Clone,
    {
        let sites = partition::partition(&self.latents, &self.blocks)?;
        self.check_init(init)?;
        let blocks = sites.into_iter().zip(&self.blocks).map(|(sites, (_, rule))| (sites, rule)).collect();
        let parts = Parts { latents: &self.latents, blocks, warmup, init };
        GibbsSampler::begin(self.program.clone(), self.variables.clone(), &parts, rng)
    }

    /// Chains of this sampler, each at its beginning. Of the options, those of a warm-up are the blocks': here only its
    /// length counts.
    ///
    /// # Errors
    /// As [`Gibbs::sampler`].
    pub fn chains(&self, options: &McmcOptions) -> Result<Mcmc<GibbsSampler<M, A, E, D>>, McmcError<GibbsError>>
    where
        M: Clone,
    {
        let begin = |chain| self.sampler(options.warmup, &options.init, &mut options.init_rng(chain));
        Mcmc::of_samplers(begin, options)
    }

    fn check_init(&self, init: &InitStrategy) -> Result<(), GibbsError> {
        let InitStrategy::Values(values) = init else { return Ok(()) };
        let unknown = values.names().find(|name| !self.latents.iter().any(|latent| latent.name == **name));
        unknown.map_or(Ok(()), |name| {
            let problem = "an initial value was given, but the model has no such latent site".into();
            Err(Error::Site { site: name.to_owned(), problem }.into())
        })
    }
}

/// What a draw is made of: latent and deterministic sites, in the order of the model.
fn variables<E: Dtype, D: Backend<E>>(runs: &mut dyn Runs<E, D>) -> Result<Vec<Variable>, Error> {
    let mut found = Vec::new();
    runs.run(&mut Rng::seed(0), &mut |inner, body| {
        let mut rng = Rng::seed(0);
        let mut start = Start::new(inner, &sampler::LOOK, &mut rng);
        let mut list = List { inner: &mut start, found: Vec::new() };
        no_grad(|| body(&mut list));
        found = list.found;
        Ok(())
    })?;
    Ok(layout(found))
}
