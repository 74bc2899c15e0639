//! The sampler of a chain: its blocks, one after another.

use ppl_core::autodiff::no_grad;
use ppl_core::backend::Backend;
use ppl_core::handlers::Tracer;
use ppl_core::model::Model;
use ppl_core::rng::Rng;
use ppl_core::trace::Trace;
use ppl_core::values::AnyValue;
use ppl_core::{Dtype, Error};
use serde_json::Value;

use crate::draws::Variable;
use crate::mcmc::{Sampler, Step, Tuning, WarmupError};
use crate::model_density::start::Start;
use crate::target::InitStrategy;

use super::block_kernel::BlockKernel;
use super::conditional::BlockConditional;
use super::discrete_metropolis::{Acceptance, Proposer};
use super::enumerate::{Unit, units};
use super::error::GibbsError;
use super::joint::{Joint, Program, Runs, Values};
use super::latent::{FindLatents, Latent, changed};
use super::rule::{Rule, Tuned};
use super::tuned::{Stepped, TunedBlock};

/// How a block moves, and what it has learned.
#[derive(Clone)]
pub(super) enum Mover<E> {
    Tuned(Box<TunedBlock<E>>),
    Enumerated(Vec<Unit>),
    Proposed(Vec<Proposer>),
    Own { sites: Vec<usize>, kernel: Box<dyn BlockKernel> },
}

/// The Gibbs sampler of one chain: in each step every block moves once, in the order in which they were given, each by a
/// kernel that leaves its conditional given all other values invariant.
///
/// Of a step's figures, the log-density is that of all values, without Jacobians; the step size is that of the first
/// tuned block; probabilities of acceptance are averaged over the tuned blocks and the proposals of discrete sites;
/// evaluations are those of all tuned blocks. The energy is that of a block that is the only one, and else 0, since
/// energies of different conditionals cannot be compared.
#[derive(Clone)]
pub struct GibbsSampler<M, A, E: Dtype, D: Backend<E>> {
    pub(super) program: Program<M, A, E, D>,
    pub(super) latents: Vec<Latent>,
    pub(super) variables: Vec<Variable>,
    pub(super) values: Values,
    pub(super) blocks: Vec<Mover<E>>,
    /// The present draw: the numbers of all variables.
    pub(super) row: Vec<f64>,
}

/// How many initial states are tried, as in Stan.
const ATTEMPTS: usize = 100;

/// What a sampler is made of.
pub(super) struct Parts<'p> {
    pub(super) latents: &'p [Latent],
    pub(super) blocks: Vec<(Vec<usize>, &'p Rule)>,
    pub(super) warmup: usize,
    pub(super) init: &'p InitStrategy,
}

impl<A, M, E, D> GibbsSampler<M, A, E, D>
where
    A: Clone,
    M: Model<A, E = E, D = D>,
    E: Dtype,
    D: Backend<E>,
{
    /// Finds initial values, and begins the warm-up of the blocks there.
    ///
    /// # Errors
    /// If no initial values will do; those of the model's runs; if no step size suits.
    pub(super) fn begin(
        mut program: Program<M, A, E, D>,
        variables: Vec<Variable>,
        parts: &Parts<'_>,
        rng: &mut Rng,
    ) -> Result<Self, GibbsError> {
        for _ in 0..ATTEMPTS {
            let mut values = in_order(parts.latents, start(&mut program, parts.init, rng)?)?;
            let mut joint = Joint { runs: &mut program, latents: parts.latents, values: &mut values };
            let sources = joint.held();
            if !joint.score(&sources)?.0.is_finite() {
                continue;
            }
            let movers = parts.blocks.iter().map(|(sites, rule)| mover(rule, sites, parts.warmup, &mut joint, rng));
            let Some(blocks) = movers.collect::<Result<Option<Vec<Mover<E>>>, GibbsError>>()? else { continue };
            let row = vec![f64::NAN; variables.last().map_or(0, |last| last.range.end)];
            let latents = parts.latents.to_vec();
            let mut sampler = GibbsSampler { program, latents, variables, values, blocks, row };
            sampler.write()?;
            return Ok(sampler);
        }
        Err(GibbsError::NoStart { attempts: ATTEMPTS, problem: problem(&mut program, parts.init, rng)? })
    }

    fn joint(&mut self) -> (Joint<'_, E, D>, &mut [Mover<E>], &[Variable]) {
        let joint = Joint { runs: &mut self.program, latents: &self.latents, values: &mut self.values };
        (joint, &mut self.blocks, &self.variables)
    }

    /// Writes the present draw into the row; the log-density of all values.
    pub(super) fn write(&mut self) -> Result<f64, Error> {
        let mut joint = Joint { runs: &mut self.program, latents: &self.latents, values: &mut self.values };
        let sources = joint.held();
        joint.write(&self.variables, &sources, None, &mut self.row)
    }

    /// The discrete sites in plates whose elements were found to depend on one another, so that each of them takes runs of
    /// its own.
    pub fn coupled(&self) -> Vec<&str> {
        let sites = self.blocks.iter().flat_map(|block| match block {
            Mover::Enumerated(units) => {
                units.iter().filter(|unit| unit.coupled).flat_map(Unit::sites).copied().collect()
            }
            Mover::Proposed(sites) => sites.iter().filter(|site| site.coupled).map(Proposer::site).collect(),
            Mover::Tuned(_) | Mover::Own { .. } => Vec::new(),
        });
        sites.map(|site: usize| self.latents[site].name.as_str()).collect()
    }

    /// The step size and the metric of each tuned block, in the order of the blocks; nothing of others.
    pub fn tunings(&self) -> Vec<Option<Tuning>> {
        let tuning = |block: &Mover<E>| match block {
            Mover::Tuned(block) => {
                Some(Tuning { step_size: block.step_size(), inverse_mass: block.metric().variances() })
            }
            Mover::Enumerated(_) | Mover::Proposed(_) | Mover::Own { .. } => None,
        };
        self.blocks.iter().map(tuning).collect()
    }
}

/// The latent sites, with values to begin with.
fn start<E: Dtype, D: Backend<E>>(
    runs: &mut dyn Runs<E, D>,
    init: &InitStrategy,
    rng: &mut Rng,
) -> Result<(Vec<Latent>, Vec<Box<dyn AnyValue>>), Error> {
    let mut found = (Vec::new(), Vec::new());
    runs.run(&mut Rng::seed(0), &mut |inner, body| {
        let mut start = Start::new(inner, init, rng);
        let mut find = FindLatents::new(&mut start);
        no_grad(|| body(&mut find));
        found = (find.latents, find.values);
        Ok(())
    })?;
    Ok(found)
}

/// The values that were found, in the order of these sites.
///
/// # Errors
/// If a site came, went or has another size.
fn in_order(latents: &[Latent], (found, values): (Vec<Latent>, Vec<Box<dyn AnyValue>>)) -> Result<Values, Error> {
    if let Some(new) = found.iter().find(|new| latents.iter().all(|latent| latent.name != new.name)) {
        return Err(changed(&new.name, "this run samples it, but an earlier one did not"));
    }
    let value = |latent: &Latent| {
        let at = found.iter().position(|found| found.name == latent.name);
        let at = at.ok_or_else(|| changed(&latent.name, "this run did not sample it, but an earlier one did"))?;
        if (&found[at].plates, found[at].numbers) != (&latent.plates, latent.numbers) {
            return Err(changed(&latent.name, "it has another size in this run than in an earlier one"));
        }
        Ok(values[at].clone())
    };
    Ok(Values::new(latents.iter().map(value).collect::<Result<_, Error>>()?))
}

/// Where runs begin that only look for sites: continuous ones at the image of zeros, discrete ones at a draw.
pub(super) const LOOK: InitStrategy = InitStrategy::Uniform(0.0);

/// The latent sites of a model.
pub(super) fn find<E: Dtype, D: Backend<E>>(runs: &mut dyn Runs<E, D>) -> Result<Vec<Latent>, Error> {
    Ok(start(runs, &LOOK, &mut Rng::seed(0))?.0)
}

/// What is wrong with one more initial state, in words.
fn problem<E: Dtype, D: Backend<E>>(
    runs: &mut dyn Runs<E, D>,
    init: &InitStrategy,
    rng: &mut Rng,
) -> Result<String, Error> {
    let mut trace = Trace::default();
    runs.run(&mut Rng::seed(0), &mut |inner, body| {
        let mut start = Start::new(inner, init, rng);
        let mut tracer = Tracer::new(&mut start);
        no_grad(|| body(&mut tracer));
        trace = tracer.into_trace();
        Ok(())
    })?;
    Ok(trace.problem().map_or_else(|| "a gradient is not finite".to_owned(), Error::to_string))
}

/// The mover of a block; nothing if its log-density or gradient is not finite at the present values.
fn mover<E: Dtype, D: Backend<E>>(
    rule: &Rule,
    sites: &[usize],
    warmup: usize,
    joint: &mut Joint<'_, E, D>,
    rng: &mut Rng,
) -> Result<Option<Mover<E>>, GibbsError> {
    Ok(Some(match rule {
        Rule::Tuned(rule) => return begin_tuned(rule, sites, warmup, joint, rng),
        Rule::Enumerate(rule) => Mover::Enumerated(units(joint.latents, sites, *rule)),
        Rule::Discrete(rule) => Mover::Proposed(sites.iter().map(|&site| Proposer::new(site, *rule)).collect()),
        Rule::Own(kernel) => Mover::Own { sites: sites.to_vec(), kernel: kernel.clone() },
    }))
}

fn begin_tuned<E: Dtype, D: Backend<E>>(
    rule: &Tuned,
    sites: &[usize],
    warmup: usize,
    joint: &mut Joint<'_, E, D>,
    rng: &mut Rng,
) -> Result<Option<Mover<E>>, GibbsError> {
    let begun = TunedBlock::begin(rule, warmup, sites, joint, rng);
    let begun = begun.map_err(|source| warmup_error(joint.latents, sites, source))?;
    Ok(begun.map(|block| Mover::Tuned(Box::new(block))))
}

fn warmup_error(latents: &[Latent], sites: &[usize], source: WarmupError<Error>) -> GibbsError {
    if let WarmupError::Density(error) = source {
        return GibbsError::Model(error);
    }
    let sites = sites.iter().map(|&site| format!("`{}`", latents[site].name)).collect::<Vec<_>>().join(", ");
    GibbsError::Warmup { sites, source }
}

/// What the blocks of a step came to, together.
#[derive(Default)]
struct Figures {
    step: Step,
    tuned: u32,
    acceptance: Acceptance,
}

impl Figures {
    fn add<E>(&mut self, stepped: Stepped<E>) {
        let (info, stats) = (stepped.info, &mut self.step.stats);
        if self.tuned == 0 {
            stats.step_size = stepped.step_size;
        }
        stats.energy = info.energy;
        stats.depth = stats.depth.max(info.depth);
        stats.depth_saturated |= info.depth_saturated;
        stats.evaluations += info.evaluations;
        stats.diverging |= stepped.divergence.is_some();
        self.step.divergence = self.step.divergence.take().or(stepped.divergence);
        self.tuned += 1;
        self.acceptance.merge(Acceptance { proposals: 1, sum: info.accept_probability });
    }

    fn finish(mut self, blocks: usize, log_density: f64) -> Step {
        let Acceptance { proposals, sum } = self.acceptance;
        self.step.stats.accept_probability = if proposals == 0 { 1.0 } else { sum / f64::from(proposals) };
        if blocks > 1 {
            self.step.stats.energy = 0.0;
        }
        self.step.stats.log_density = log_density;
        self.step
    }
}

impl<A, M, E, D> Sampler for GibbsSampler<M, A, E, D>
where
    A: Clone,
    M: Model<A, E = E, D = D>,
    E: Dtype,
    D: Backend<E>,
{
    type Error = GibbsError;

    fn variables(&self) -> &[Variable] {
        &self.variables
    }

    fn step(&mut self, rng: &mut Rng) -> Result<Step, GibbsError> {
        let mut figures = Figures::default();
        let (mut joint, blocks, variables) = self.joint();
        for block in blocks.iter_mut() {
            match block {
                Mover::Tuned(block) => {
                    let stepped = block.step(&mut joint, variables, rng);
                    figures.add(stepped.map_err(|source| warmup_error(joint.latents, &block.sites(), source))?);
                }
                Mover::Enumerated(units) => {
                    units.iter_mut().try_for_each(|unit| unit.step(&mut joint, rng))?;
                }
                Mover::Proposed(proposers) => {
                    for proposer in proposers {
                        figures.acceptance.merge(proposer.step(&mut joint, rng)?);
                    }
                }
                Mover::Own { sites, kernel } => {
                    kernel.step(&mut BlockConditional::new(&mut joint, sites), rng)?;
                }
            }
        }
        let log_density = self.write()?;
        Ok(figures.finish(self.blocks.len(), log_density))
    }

    fn values(&mut self, values: &mut Vec<f64>) -> Result<(), GibbsError> {
        values.extend(&self.row);
        Ok(())
    }

    fn tuning(&self) -> Option<Tuning> {
        match self.blocks.len() {
            1 => self.tunings().pop().flatten(),
            _ => None,
        }
    }

    fn save(&self) -> Value {
        self.saved()
    }

    fn restore(&mut self, saved: Value) -> Result<(), String> {
        self.go_on_from(saved)
    }
}
