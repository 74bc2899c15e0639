//! A tuned kernel on the unconstrained numbers of a block, given the values of all other sites.

use std::ops::Range;

use ppl_core::autodiff::{no_grad, try_grad};
use ppl_core::backend::Backend;
use ppl_core::rng::Rng;
use ppl_core::trace::sum;
use ppl_core::transform::Flat;
use ppl_core::values::AnyValue;
use ppl_core::{Dtype, Error, Tensor};
use serde::{Deserialize, Serialize};

use crate::density::LogDensity;
use crate::draws::{DivergentStep, Variable};
use crate::mcmc::{
    Hmc, Info, Kernel, KernelOptions as _, Metric, Metropolis, Nuts, Schedule, State, StepSizeSearch, Tunable, Warmup,
    WarmupError, WarmupOptions, Windows,
};

use super::joint::{Joint, Source, changed_value};
use super::rule::{Gradient, Tuned};

/// A site of the block, and its unconstrained numbers.
#[derive(Clone, Debug)]
pub(super) struct Place {
    site: usize,
    range: Range<usize>,
}

/// The conditional of a block over its unconstrained numbers.
struct BlockDensity<'b, 'r, E: Dtype, D: Backend<E>> {
    joint: &'b mut Joint<'r, E, D>,
    places: &'b [Place],
}

fn dim(places: &[Place]) -> usize {
    places.last().map_or(0, |last| last.range.end)
}

/// Sources by which the block's sites are images of unconstrained numbers, and all others stay.
fn images<'s, E: Dtype, D: Backend<E>>(joint: &Joint<'_, E, D>, places: &[Place]) -> Vec<Source<'s>> {
    let mut sources = joint.held();
    places.iter().for_each(|place| sources[place.site] = Source::Image(place.range.clone()));
    sources
}

impl<E: Dtype, D: Backend<E>> LogDensity<E> for BlockDensity<'_, '_, E, D> {
    type Error = Error;

    fn dim(&self) -> usize {
        dim(self.places)
    }

    fn evaluate(&mut self, position: &[E], gradient: &mut [E]) -> Result<f64, Error> {
        let sources = images(self.joint, self.places);
        let mut numbers: Flat<E, D> = Tensor::vector(position.to_vec()).tracked();
        let (log_density, (), mut grads) = try_grad(|| {
            let mut terms = Vec::with_capacity(2 * sources.len());
            self.joint.run(&mut Rng::seed(0), &sources, Some(&numbers), &mut |site, _, log_det| {
                terms.extend(log_det);
                if site.state().is_scored() {
                    terms.push(site.log_prob_sum());
                }
                Ok(())
            })?;
            Ok::<_, Error>((sum(terms.iter()), ()))
        })?;
        grads.update(&mut numbers, &mut |_, found| gradient.copy_from_slice(found))?;
        Ok(log_density.item().wide())
    }
}

/// One of the kernels.
#[derive(Clone, Debug)]
enum GradientKernel<E> {
    Nuts(Nuts<E>),
    Hmc(Hmc<E>),
    Metropolis(Metropolis<E>),
}

macro_rules! each {
    ($kernel:expr, $inner:ident => $call:expr) => {
        match $kernel {
            GradientKernel::Nuts($inner) => $call,
            GradientKernel::Hmc($inner) => $call,
            GradientKernel::Metropolis($inner) => $call,
        }
    };
}

impl<E: Dtype, F: LogDensity<E>> Kernel<E, F> for GradientKernel<E> {
    fn step(&mut self, density: &mut F, state: &mut State<E>, rng: &mut Rng) -> Result<Info<E>, F::Error> {
        each!(self, kernel => kernel.step(density, state, rng))
    }
}

impl<E: Dtype, F: LogDensity<E>> Tunable<E, F> for GradientKernel<E> {
    fn step_size(&self) -> f64 {
        each!(self, kernel => Tunable::<E, F>::step_size(kernel))
    }

    fn set_step_size(&mut self, step_size: f64) {
        each!(self, kernel => Tunable::<E, F>::set_step_size(kernel, step_size));
    }

    fn metric(&self) -> &Metric<E> {
        each!(self, kernel => Tunable::<E, F>::metric(kernel))
    }

    fn set_metric(&mut self, metric: Metric<E>) {
        each!(self, kernel => Tunable::<E, F>::set_metric(kernel, metric));
    }

    fn search_step_size(
        &mut self,
        density: &mut F,
        state: &State<E>,
        rng: &mut Rng,
    ) -> Result<StepSizeSearch, F::Error> {
        each!(self, kernel => kernel.search_step_size(density, state, rng))
    }
}

/// A block with its kernel.
#[derive(Clone, Debug)]
pub(super) struct TunedBlock<E> {
    places: Vec<Place>,
    kernel: GradientKernel<E>,
    moving: Moving<E>,
}

/// What changes from step to step, beside the kernel.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Moving<E> {
    state: State<E>,
    /// How often values had moved when the state was found.
    moves: u64,
    warmup: Warmup,
}

/// What is saved.
#[derive(Serialize, Deserialize)]
pub(super) struct Saved<E> {
    moving: Moving<E>,
    step_size: f64,
    metric: Metric<E>,
}

/// What a step came to.
pub(super) struct Stepped<E> {
    pub(super) info: Info<E>,
    pub(super) step_size: f64,
    pub(super) divergence: Option<DivergentStep>,
}

impl<E: Dtype> TunedBlock<E> {
    /// The block at the present values, if its log-density and gradient are finite there. The warm-up begins.
    ///
    /// # Errors
    /// Those of the model's runs, and of the warm-up.
    pub(super) fn begin<D: Backend<E>>(
        rule: &Tuned,
        warmup: usize,
        sites: &[usize],
        joint: &mut Joint<'_, E, D>,
        rng: &mut Rng,
    ) -> Result<Option<Self>, WarmupError<Error>> {
        let (places, position) = locate(joint, sites).map_err(WarmupError::Density)?;
        let dim = position.len();
        let mut kernel = match &rule.kernel {
            Gradient::Nuts(options) => GradientKernel::Nuts(options.kernel(dim)),
            Gradient::Hmc(options) => GradientKernel::Hmc(options.kernel(dim)),
            Gradient::Metropolis(options) => GradientKernel::Metropolis(options.kernel(dim)),
        };
        let options = WarmupOptions {
            schedule: Schedule::Stan(Windows::of(warmup)),
            target_accept: rule.target_accept,
            metric: rule.metric.clone(),
        };
        let moves = joint.values.moves;
        let mut density = BlockDensity { joint, places: &places };
        let state = State::at(&mut density, &position).map_err(WarmupError::Density)?;
        if !state.is_finite() {
            return Ok(None);
        }
        let warmup = Warmup::begin(&options, &mut kernel, &mut density, &state, rng)?;
        Ok(Some(TunedBlock { places, kernel, moving: Moving { state, moves, warmup } }))
    }

    /// Moves the block.
    ///
    /// # Errors
    /// Those of the model's runs, and of the warm-up.
    pub(super) fn step<D: Backend<E>>(
        &mut self,
        joint: &mut Joint<'_, E, D>,
        variables: &[Variable],
        rng: &mut Rng,
    ) -> Result<Stepped<E>, WarmupError<Error>> {
        self.refresh(joint).map_err(WarmupError::Density)?;
        let step_size = self.step_size();
        let Moving { state, warmup, .. } = &mut self.moving;
        let before = state.position.clone();
        let mut density = BlockDensity { joint, places: &self.places };
        let mut info = warmup.step(&mut self.kernel, &mut density, state, rng)?;
        if self.moving.state.position != before {
            let values = self.values(joint).map_err(WarmupError::Density)?;
            joint.values.set(values);
        }
        self.moving.moves = joint.values.moves;
        let divergence = info.divergence.take().map(|divergence| {
            let mut values = vec![f64::NAN; variables.last().map_or(0, |last| last.range.end)];
            let from = Tensor::vector(divergence.from.clone());
            joint.write(variables, &images(joint, &self.places), Some(&from), &mut values)?;
            let wide = |position: Vec<E>| position.into_iter().map(Dtype::wide).collect();
            let (from, to, energy_error) = (wide(divergence.from), wide(divergence.to), divergence.energy_error);
            Ok(DivergentStep { draw: 0, values, from, to, energy_error })
        });
        Ok(Stepped { info, step_size, divergence: divergence.transpose().map_err(WarmupError::Density)? })
    }

    /// Brings the state up to date, where other blocks moved.
    fn refresh<D: Backend<E>>(&mut self, joint: &mut Joint<'_, E, D>) -> Result<(), Error> {
        if self.moving.moves == joint.values.moves {
            return Ok(());
        }
        // The values stay. Their unconstrained numbers do too, but where the support depends on what has moved.
        let images = self.values(joint)?;
        let is_held = |(site, value): &(usize, Box<dyn AnyValue>)| value.to_f64s() == joint.values.get(*site).to_f64s();
        let same = images.iter().all(is_held);
        if !same {
            (self.places, self.moving.state.position) = locate(joint, &self.sites())?;
        }
        let position = std::mem::take(&mut self.moving.state.position);
        let mut density = BlockDensity { joint, places: &self.places };
        self.moving.state = State::at(&mut density, &position)?;
        self.moving.moves = joint.values.moves;
        Ok(())
    }

    /// The sites' values at the present position.
    fn values<D: Backend<E>>(&self, joint: &mut Joint<'_, E, D>) -> Result<Vec<(usize, Box<dyn AnyValue>)>, Error> {
        let (sources, mut values) = (images(joint, &self.places), Vec::new());
        let numbers = Tensor::vector(self.moving.state.position.clone());
        no_grad(|| {
            joint.run(&mut Rng::seed(0), &sources, Some(&numbers), &mut |site, place, _| {
                values.extend(changed_value(site, place, &sources));
                Ok(())
            })
        })?;
        Ok(values)
    }

    /// The step size of the next step.
    pub(super) fn step_size(&self) -> f64 {
        each!(&self.kernel, kernel => Tunable::<E, NoDensity>::step_size(kernel))
    }

    /// The metric of the next step.
    pub(super) fn metric(&self) -> &Metric<E> {
        each!(&self.kernel, kernel => Tunable::<E, NoDensity>::metric(kernel))
    }

    /// The block's sites.
    pub(super) fn sites(&self) -> Vec<usize> {
        self.places.iter().map(|place| place.site).collect()
    }

    pub(super) fn saved(&self) -> Saved<E> {
        Saved { moving: self.moving.clone(), step_size: self.step_size(), metric: self.metric().clone() }
    }

    /// # Errors
    /// If what was saved has another dimension, in words.
    pub(super) fn check(&self, saved: &Saved<E>) -> Result<(), String> {
        let (found, expected) = (saved.moving.state.position.len(), dim(&self.places));
        if found != expected || saved.metric.dim() != expected {
            return Err(format!("a block has {found} unconstrained numbers, but the model's has {expected}"));
        }
        Ok(())
    }

    pub(super) fn restore(&mut self, saved: Saved<E>) {
        self.moving = saved.moving;
        each!(&mut self.kernel, kernel => {
            Tunable::<E, NoDensity>::set_metric(kernel, saved.metric);
            Tunable::<E, NoDensity>::set_step_size(kernel, saved.step_size);
        });
    }
}

/// A density for asking a kernel what does not depend on one.
struct NoDensity;

impl<E: Dtype> LogDensity<E> for NoDensity {
    type Error = std::convert::Infallible;

    fn dim(&self) -> usize {
        0
    }

    fn evaluate(&mut self, _: &[E], _: &mut [E]) -> Result<f64, Self::Error> {
        Ok(0.0)
    }
}

/// The unconstrained numbers of the sites' present values, and their places.
fn locate<E: Dtype, D: Backend<E>>(
    joint: &mut Joint<'_, E, D>,
    sites: &[usize],
) -> Result<(Vec<Place>, Vec<E>), Error> {
    let (mut places, mut position) = (Vec::new(), Vec::new());
    let sources = joint.held();
    no_grad(|| {
        joint.run(&mut Rng::seed(0), &sources, None, &mut |site, place, _| {
            if let Some(place) = place.filter(|place| sites.contains(place)) {
                let start = position.len();
                position.extend(site.unconstrained()?.to_vec());
                places.push(Place { site: place, range: start..position.len() });
            }
            Ok(())
        })
    })?;
    Ok((places, position))
}
