//! Single-site Metropolis over traces: one random site gets a new value, the model runs again, and every other site that is still
//! there keeps its own.
//!
//! Sites may come and go from run to run. Reference: Wingate, Stuhlmüller, Goodman, *Lightweight Implementations of Probabilistic
//! Programming Languages Via Transformational Compilation*, AISTATS (2011).

use ppl_core::autodiff::no_grad;
use ppl_core::backend::Backend;
use ppl_core::handler::Handler;
use ppl_core::handlers::{Params, Prior, Tracer};
use ppl_core::model::{IntoArgs, Model};
use ppl_core::params::ParamStore;
use ppl_core::rng::Rng;
use ppl_core::trace::Trace;
use ppl_core::{Dtype, Error};
use rand::Rng as _;

// A run of the model that reuses the values of another.
mod proposal;

use proposal::{Latents, Proposal, Walk};

/// How many draws from the prior are tried for a first run whose data are possible.
const TRIES: usize = 1_000;

/// A Markov chain over the traces of a model, whose latent sites may differ from run to run.
///
/// In a step, one latent site of the present run, each as probable as any other, gets a new value: one drawn from its distribution,
/// or the present one moved by a normal step ([`TraceMetropolis::walk`]). The model runs again. A site that both runs have, with
/// values from the same set (the same distribution family and support), keeps its value; any other is drawn anew. The new run is
/// taken with the probability that leaves the posterior invariant: it counts how many sites each run has, and the densities of the
/// values that were drawn and of those that were dropped.
///
/// A site with several elements is one site: it moves as a whole.
pub struct TraceMetropolis<M: Model<A>, A> {
    model: M,
    args: A,
    params: ParamStore<M::E, M::D>,
    walks: Vec<Walk>,
    rng: Rng,
    state: State<M::E, M::D, M::Output>,
    steps: u64,
    accepted: u64,
}

/// A run.
struct State<E: Dtype, D: Backend<E>, R> {
    trace: Trace<E, D>,
    latents: Latents<E, D>,
    log_joint: f64,
    /// ln of the density of the way back over that of the way here.
    log_ratio: f64,
    output: R,
}

impl<M, A> TraceMetropolis<M, A>
where
    A: Clone,
    M: Model<A>,
{
    /// A chain that begins at a draw from the prior under which the data are possible. The model's parameters, if it has any, take
    /// their initial values from seed 0.
    ///
    /// # Errors
    /// The first error of a run; data that are impossible in each of 1,000 draws, with the site.
    pub fn new(model: M, args: impl IntoArgs<Args = A>, seed: u64) -> Result<Self, Error> {
        Self::with_params(model, args, ParamStore::new(0), seed)
    }

    /// [`TraceMetropolis::new`] with the values of the model's parameters, which do not move.
    ///
    /// # Errors
    /// As there.
    pub fn with_params(
        model: M,
        args: impl IntoArgs<Args = A>,
        mut params: ParamStore<M::E, M::D>,
        seed: u64,
    ) -> Result<Self, Error> {
        let (args, mut rng) = (args.into_args(), Rng::named(seed, "trace_metropolis"));
        let nothing = Latents::default();
        let mut problem = None;
        for _ in 0..TRIES {
            let state = run(&model, args.clone(), &mut params, &mut rng, (&nothing, None))?;
            if state.log_joint > f64::NEG_INFINITY {
                return Ok(Self { model, args, params, walks: Vec::new(), rng, state, steps: 0, accepted: 0 });
            }
            problem = state.trace.problem().cloned();
        }
        let site = match problem {
            Some(Error::NonFinite { site, .. }) => site,
            Some(error) => return Err(error),
            None => M::NAME.to_owned(),
        };
        let problem = format!("the data are impossible in each of {TRIES} draws from the prior; here in the last one");
        Err(Error::Site { site, problem })
    }

    /// Sites of this name move by normal steps of standard deviation `size` in unconstrained space, instead of by draws from their
    /// distribution. In a name, `{}` stands for the index of a family; the name of a site in submodels is the last part alone.
    ///
    /// # Panics
    /// If the size is not positive and finite.
    #[must_use]
    #[track_caller]
    pub fn walk(mut self, name: impl Into<String>, size: f64) -> Self {
        assert!(size > 0.0 && size.is_finite(), "the size of a step must be positive and finite, but it is {size}");
        self.walks.push(Walk { name: name.into(), size });
        self
    }

    /// Moves once; whether the new run was taken.
    ///
    /// # Errors
    /// The first error of the run; a density that is NaN or infinite; a discrete site that should walk.
    pub fn step(&mut self) -> Result<bool, Error> {
        self.steps += 1;
        let count = self.state.latents.len();
        if count == 0 {
            return Ok(false);
        }
        let chosen = self.rng.gen_range(0..count);
        let from = (&self.state.latents, Some((chosen, &self.walks[..])));
        let next = run(&self.model, self.args.clone(), &mut self.params, &mut self.rng, from)?;
        let counts = (count as f64).ln() - (next.latents.len() as f64).ln();
        let log_accept = next.log_joint - self.state.log_joint + counts + next.log_ratio;
        let taken = self.rng.r#gen::<f64>().ln() < log_accept;
        if taken {
            self.state = next;
            self.accepted += 1;
        }
        Ok(taken)
    }

    /// Moves so many times.
    ///
    /// # Errors
    /// As [`TraceMetropolis::step`].
    pub fn advance(&mut self, steps: usize) -> Result<(), Error> {
        (0..steps).try_for_each(|_| self.step().map(drop))
    }

    /// The run after every `thin` steps, `count` times, as typed traces.
    ///
    /// # Errors
    /// As [`TraceMetropolis::step`].
    pub fn draws(&mut self, count: usize, thin: usize) -> Result<Vec<M::Trace>, Error> {
        let draw = |_| {
            self.advance(thin)?;
            self.typed()
        };
        (0..count).map(draw).collect()
    }

    /// The present run.
    pub fn trace(&self) -> &Trace<M::E, M::D> {
        &self.state.trace
    }

    /// The present run in the model's own type.
    ///
    /// # Errors
    /// If a field's site is missing or of another type.
    pub fn typed(&self) -> Result<M::Trace, Error> {
        self.state.trace.typed()
    }

    /// What the model returned in the present run.
    pub fn output(&self) -> &M::Output {
        &self.state.output
    }

    /// The log joint density of the present run.
    pub fn log_joint(&self) -> f64 {
        self.state.log_joint
    }

    /// How many latent sites the present run has that can move.
    pub fn len(&self) -> usize {
        self.state.latents.len()
    }

    /// Whether the present run has no latent site that can move.
    pub fn is_empty(&self) -> bool {
        self.state.latents.len() == 0
    }

    /// Which part of the steps led to another run; NaN before the first.
    pub fn acceptance_rate(&self) -> f64 {
        self.accepted as f64 / self.steps as f64
    }
}

/// A run that reuses values; where one of its sites is chosen, that one is proposed anew.
fn run<A, M: Model<A>>(
    model: &M,
    args: A,
    params: &mut ParamStore<M::E, M::D>,
    rng: &mut Rng,
    (old, chosen): (&Latents<M::E, M::D>, Option<(usize, &[Walk])>),
) -> Result<State<M::E, M::D, M::Output>, Error> {
    let mut prior = Prior::new(rng.clone());
    let mut store = Params::new(params, &mut prior);
    let mut tracer = Tracer::new(&mut store);
    let mut proposal = Proposal::new(old, chosen, &mut tracer);
    let output = no_grad(|| model.run(&mut proposal, args));
    let (latents, log_ratio) = proposal.end();
    let trace = tracer.into_trace();
    let context = store.context();
    context.finish(())?;
    *rng = context.rng.clone();
    let log_joint: f64 = trace.sites().map(|site| site.log_prob.item().wide()).sum();
    if log_joint.is_nan() || log_joint == f64::INFINITY {
        let wrong = trace.sites().find(|site| {
            let log_prob = site.log_prob.item().wide();
            log_prob.is_nan() || log_prob == f64::INFINITY
        });
        let unknown = || Error::Site { site: M::NAME.into(), problem: "its joint density is infinite".into() };
        return Err(wrong.and_then(|site| site.problem.clone()).unwrap_or_else(unknown));
    }
    Ok(State { trace, latents, log_joint, log_ratio, output })
}
