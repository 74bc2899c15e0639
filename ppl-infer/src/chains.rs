//! Chains of a sampler: on threads or one after another, with progress, observers and draws that are kept, saved
//! and gone on with.

use std::error::Error as StdError;
use std::fmt::Debug;
use std::io;
use std::ops::ControlFlow;

use ppl_core::backend::Backend;
use ppl_core::model::{IntoArgs, Model};
use ppl_core::params::ParamStore;
use ppl_core::rng::Rng;
use ppl_core::{Dtype, Error};
use thiserror::Error as ThisError;

use crate::checkpoint::CheckpointError;
use crate::draws::{Draws, SampleStats};
use crate::mcmc::{
    Adaptation, DensitySampler, KernelOptions, MetricShape, Sampler, SamplerError, Tunable, Tuning, WarmupOptions,
};
use crate::model_density::ModelDensity;
use crate::target::{InitStrategy, Target};

// One chain: its sampler, how far it is, what it drew.
mod chain;
// A bar for each chain.
mod progress;
// Draws streamed to files in constant memory.
mod csv;
// Saving all chains, and going on from there.
mod saved;

pub use chain::DrawSink;
use chain::{Chain, Plan};
use progress::Bars;

/// The options of a run of chains.
#[derive(Clone, Debug)]
pub struct McmcOptions {
    /// The number of chains; default 4.
    pub chains: usize,
    /// The iterations of each chain's warm-up, in which the sampler is tuned; default 1000.
    pub warmup: usize,
    /// The draws that each chain keeps; default 1000.
    pub draws: usize,
    /// Every so-manieth iteration after the warm-up is kept; default 1.
    pub thin: usize,
    /// The seed of all randomness; default 0. Each step of each chain has a stream of its own, so that neither
    /// threads nor an interruption change anything.
    pub seed: u64,
    /// The most chains that run side by side; default as many as the machine has processors.
    pub threads: Option<usize>,
    /// Where chains begin; default uniformly between −2 and 2, in unconstrained numbers.
    pub init: InitStrategy,
    /// The mean probability of acceptance that the warm-up aims at; default 0.8.
    pub target_accept: f64,
    /// What the metric looks like that the warm-up estimates; default the gradient-based diagonal
    /// ([`MetricShape::FisherDiagonal`]), which is good from the first draws on.
    pub metric: MetricShape,
    /// When the warm-up learns what; default overlapping windows. [`Adaptation::Stan`] is Stan's to the digit.
    pub adaptation: Adaptation,
    /// Whether draws are kept in memory; default yes. Without, they go to sinks and observers only.
    pub keep: bool,
    /// Whether to draw a bar for each chain on stderr (with the feature `progress`, on a terminal); default no.
    pub progress: bool,
}

impl Default for McmcOptions {
    fn default() -> Self {
        McmcOptions {
            chains: 4,
            warmup: 1000,
            draws: 1000,
            thin: 1,
            seed: 0,
            threads: None,
            init: InitStrategy::default(),
            target_accept: 0.8,
            metric: MetricShape::FisherDiagonal,
            adaptation: Adaptation::default(),
            keep: true,
            progress: false,
        }
    }
}

impl McmcOptions {
    fn plan(&self) -> Plan {
        Plan { warmup: self.warmup, draws: self.draws, thin: self.thin.max(1), seed: self.seed, keep: self.keep }
    }

    /// The options of the warm-up of each chain.
    pub fn warmup_options(&self) -> WarmupOptions {
        WarmupOptions {
            schedule: self.adaptation.schedule(self.warmup),
            target_accept: self.target_accept,
            metric: self.metric.clone(),
        }
    }

    /// Where the randomness of a chain's beginning comes from.
    pub fn init_rng(&self, chain: usize) -> Rng {
        Rng::named(self.seed, &format!("init {chain}"))
    }
}

/// One iteration, as an observer sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChainStep<'a> {
    /// The number of the chain, from 0.
    pub chain: usize,
    /// The number of the iteration, from 0, warm-up included.
    pub iteration: usize,
    /// Whether it is one of the warm-up.
    pub warmup: bool,
    /// What happened in it.
    pub stats: &'a SampleStats,
    /// The numbers of all variables, where the iteration gave a draw.
    pub values: Option<&'a [f64]>,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum McmcStop {
    /// All draws are there.
    Finished,
    /// An observer asked for the end. What was drawn is kept, and another run goes on from there.
    Interrupted,
}

/// What went wrong with a chain. The draws of all chains so far are kept.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum McmcError<F: StdError> {
    /// A sampler failed.
    #[error("chain {chain}, iteration {iteration}: {source}")]
    Sampler {
        /// The number of the chain.
        chain: usize,
        /// The number of the iteration, warm-up included.
        iteration: usize,
        /// What went wrong.
        source: F,
    },
    /// A draw could not be written.
    #[error("chain {chain}, iteration {iteration}: the draw could not be written: {source}")]
    Sink {
        /// The number of the chain.
        chain: usize,
        /// The number of the iteration, warm-up included.
        iteration: usize,
        /// What the system said.
        source: io::Error,
    },
    /// A chain could not begin.
    #[error("chain {chain} could not begin: {source}")]
    Begin {
        /// The number of the chain.
        chain: usize,
        /// What went wrong.
        source: F,
    },
    /// The state could not be saved or gone on with.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// Chains of a sampler.
///
/// ```
/// # use std::convert::Infallible;
/// use ppl_infer::mcmc::NutsOptions;
/// use ppl_infer::{LogDensity, Mcmc, McmcOptions, Target};
///
/// #[derive(Clone)]
/// struct StandardNormal;
///
/// impl LogDensity<f64> for StandardNormal {
///     type Error = Infallible;
///     fn dim(&self) -> usize {
///         2
///     }
///     fn evaluate(&mut self, x: &[f64], gradient: &mut [f64]) -> Result<f64, Infallible> {
///         gradient.iter_mut().zip(x).for_each(|(g, x)| *g = -x);
///         Ok(-0.5 * x.iter().map(|x| x * x).sum::<f64>())
///     }
/// }
/// impl Target<f64> for StandardNormal {}
///
/// let options = McmcOptions { chains: 2, draws: 500, ..McmcOptions::default() };
/// let mut mcmc = Mcmc::of_target(&StandardNormal, NutsOptions::default(), options)?;
/// mcmc.run()?;
/// let summary = mcmc.draws().summary()?;
/// assert!(summary.rows.iter().all(|row| row.mean.abs() < 0.2 && row.r_hat < 1.05), "{summary}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Mcmc<S: Sampler> {
    plan: Plan,
    threads: Option<usize>,
    progress: bool,
    chains: Vec<Chain<S>>,
}

/// The sampler of a model with data.
pub type ModelSampler<M, A, E, D, K> = DensitySampler<E, ModelDensity<M, A, E, D>, K>;

impl<M, A, E, D, K> Mcmc<ModelSampler<M, A, E, D, K>>
where
    A: Clone,
    M: Model<A, E = E, D = D> + Clone,
    E: Dtype,
    D: Backend<E>,
    K: Tunable<E, ModelDensity<M, A, E, D>>,
{
    /// Chains of a kernel on a model with these arguments, each at its beginning.
    ///
    /// # Errors
    /// A site that cannot stand in a vector; a model without a position to begin with.
    pub fn new(
        model: M,
        args: impl IntoArgs<Args = A>,
        kernel: impl KernelOptions<E, Kernel = K>,
        options: McmcOptions,
    ) -> Result<Self, McmcError<SamplerError<Error>>> {
        Self::with_params(model, args, ParamStore::new(options.seed), kernel, options)
    }

    /// [`Mcmc::new`] with the values of the model's parameters, which do not move.
    ///
    /// # Errors
    /// As there.
    pub fn with_params(
        model: M,
        args: impl IntoArgs<Args = A>,
        params: ParamStore<E, D>,
        kernel: impl KernelOptions<E, Kernel = K>,
        options: McmcOptions,
    ) -> Result<Self, McmcError<SamplerError<Error>>> {
        let density = ModelDensity::with_params(model, args, params);
        let density = density.map_err(|error| McmcError::Begin { chain: 0, source: SamplerError::Target(error) })?;
        Self::of_target(&density, kernel, options)
    }
}

impl<E: Dtype, T: Target<E> + Clone, K: Tunable<E, T>> Mcmc<DensitySampler<E, T, K>>
where
    T::Error: Send + Sync + 'static,
{
    /// Chains of a kernel on any target, each at its beginning and with a copy of the target.
    ///
    /// # Errors
    /// Where there is no position to begin with.
    pub fn of_target(
        target: &T,
        kernel: impl KernelOptions<E, Kernel = K>,
        options: McmcOptions,
    ) -> Result<Self, McmcError<SamplerError<T::Error>>> {
        let warmup = options.warmup_options();
        let begin = |chain| {
            DensitySampler::begin(target.clone(), &kernel, &warmup, &options.init, &mut options.init_rng(chain))
        };
        Mcmc::of_samplers(begin, &options)
    }
}

impl<S: Sampler> Mcmc<S> {
    /// Chains of any sampler: `begin` makes that of each chain. Of the options, it is the samplers' to heed
    /// `init`, `target_accept`, `metric` and the length of the warm-up.
    ///
    /// # Errors
    /// The first error of `begin`.
    pub fn of_samplers(
        mut begin: impl FnMut(usize) -> Result<S, S::Error>,
        options: &McmcOptions,
    ) -> Result<Self, McmcError<S::Error>> {
        let chains = (0..options.chains).map(|chain| {
            let sampler = begin(chain).map_err(|source| McmcError::Begin { chain, source })?;
            Ok(Chain::new(chain, sampler))
        });
        let chains = chains.collect::<Result<_, McmcError<S::Error>>>()?;
        Ok(Mcmc { plan: options.plan(), threads: options.threads, progress: options.progress, chains })
    }

    /// Sends the draws of each chain to a sink too, such as a file: `open` makes that of each chain.
    ///
    /// # Errors
    /// The first error of `open`.
    pub fn stream<W: DrawSink + Send + 'static>(
        &mut self,
        mut open: impl FnMut(usize, &S) -> io::Result<W>,
    ) -> Result<(), McmcError<S::Error>> {
        for chain in &mut self.chains {
            let opened = open(chain.number, &chain.sampler);
            let opened =
                opened.map_err(|source| McmcError::Sink { chain: chain.number, iteration: chain.iteration, source })?;
            chain.sink = Some(Box::new(opened));
        }
        Ok(())
    }

    /// Runs all chains to their end, side by side.
    ///
    /// # Errors
    /// The first error of a chain; the others stop after their iteration, and all draws are kept.
    pub fn run(&mut self) -> Result<McmcStop, McmcError<S::Error>>
    where
        S: Send,
    {
        self.run_with(|_| ControlFlow::Continue(()))
    }

    /// [`Mcmc::run`] with an observer, which hears of each iteration, from several threads, and may end the run.
    ///
    /// # Errors
    /// As [`Mcmc::run`].
    pub fn run_with(
        &mut self,
        observe: impl Fn(ChainStep<'_>) -> ControlFlow<()> + Sync,
    ) -> Result<McmcStop, McmcError<S::Error>>
    where
        S: Send,
    {
        let processors = || std::thread::available_parallelism().map_or(1, usize::from);
        let threads = self.threads.unwrap_or_else(processors).clamp(1, self.chains.len().max(1));
        let bars = Bars::new(self.progress, &self.plan, &self.chains);
        chain::run_on_threads(&mut self.chains, threads, &self.plan, &observe, &bars)
    }

    /// [`Mcmc::run_with`] on this thread, one chain after another, for samplers that cannot leave it. The draws are
    /// the same.
    ///
    /// # Errors
    /// As [`Mcmc::run`].
    pub fn run_here(
        &mut self,
        observe: impl Fn(ChainStep<'_>) -> ControlFlow<()>,
    ) -> Result<McmcStop, McmcError<S::Error>> {
        let bars = Bars::new(self.progress, &self.plan, &self.chains);
        chain::run_in_turn(&mut self.chains, &self.plan, &observe, &bars)
    }

    /// How many draws each chain is to have in the end. A greater number than before makes the next run go on.
    pub fn set_draws(&mut self, draws: usize) {
        self.plan.draws = draws;
    }

    /// The draws so far, but for those of the warm-up.
    pub fn draws(&self) -> Draws {
        let variables = self.chains.first().map_or_else(Vec::new, |chain| chain.sampler.variables().to_vec());
        Draws::new(variables, self.chains.iter().map(|chain| chain.draws.clone()).collect())
    }

    /// The draws so far, without a copy.
    pub fn into_draws(self) -> Draws {
        let variables = self.chains.first().map_or_else(Vec::new, |chain| chain.sampler.variables().to_vec());
        Draws::new(variables, self.chains.into_iter().map(|chain| chain.draws).collect())
    }

    /// What each chain has tuned, where there is one step size and one metric.
    pub fn tuning(&self) -> Vec<Option<Tuning>> {
        self.chains.iter().map(|chain| chain.sampler.tuning()).collect()
    }

    /// The chains' samplers, in order.
    pub fn samplers(&self) -> impl Iterator<Item = &S> {
        self.chains.iter().map(|chain| &chain.sampler)
    }

    /// How often the log-density was evaluated with its gradient, in all iterations of all chains.
    pub fn evaluations(&self) -> u64 {
        self.chains.iter().map(|chain| chain.evaluations).sum()
    }
}

impl<S: Sampler> Debug for Mcmc<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mcmc").field("plan", &self.plan).field("chains", &self.chains.len()).finish_non_exhaustive()
    }
}
