//! The no-U-turn sampler: a doubling tree over a Hamiltonian trajectory.
//!
//! Hoffman and Gelman, *The No-U-Turn Sampler* (2014), with the weights and the criterion of Betancourt, *A
//! Conceptual Introduction to Hamiltonian Monte Carlo* (2017).

use ppl_core::Dtype;
use ppl_core::rng::Rng;

use super::inner_product::dots_with_sum;
use super::kernel::{Divergence, Info, Kernel, State, StepSizeSearch, Tunable};
use super::leapfrog::{PhasePoint, leapfrog};
use super::metric::Metric;
use super::step_size_search;
use super::trajectory::{Direction, Trajectory, Visit};
use super::tree::{Stop, Tree};
use crate::density::LogDensity;

/// The options of [`Nuts`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NutsOptions {
    /// How often a trajectory may double; default 10, which is 1023 steps.
    pub max_depth: u32,
    /// The energy error from which a step is a divergence; default 1000.
    pub max_energy_error: f64,
    /// Each step's size is drawn from step size · (1 ± jitter); in [0, 1), default 0.
    pub jitter: f64,
}

impl Default for NutsOptions {
    fn default() -> Self {
        NutsOptions { max_depth: 10, max_energy_error: 1000.0, jitter: 0.0 }
    }
}

/// The no-U-turn sampler.
#[derive(Clone, Debug)]
pub struct Nuts<E> {
    options: NutsOptions,
    step_size: f64,
    metric: Metric<E>,
    tree: Tree<PhasePoint<E>, Vec<E>>,
}

impl<E: Dtype> Nuts<E> {
    /// A sampler with this step size and metric, whose dimension is the density's.
    pub fn new(step_size: f64, metric: Metric<E>, options: NutsOptions) -> Self {
        Nuts { options, step_size, metric, tree: Tree::default() }
    }
}

impl<E: Dtype, D: LogDensity<E>> Kernel<E, D> for Nuts<E> {
    fn step(&mut self, density: &mut D, state: &mut State<E>, rng: &mut Rng) -> Result<Info<E>, D::Error> {
        let step = step_size_search::jittered(self.step_size, self.options.jitter, rng);
        let metric = &mut self.metric;
        let max_error = self.options.max_energy_error;
        let mut path = HamiltonianPath { density, metric, step, max_error, start: 0.0, divergence: None };
        let first = self.tree.first(&path);
        first.begin(state, path.metric, rng);
        path.start = first.energy;
        let (drawn, report) = self.tree.transition(&mut path, rng, self.options.max_depth)?;
        let energy = drawn.energy;
        drawn.move_to(state);
        Ok(Info {
            accept_probability: report.accept_sum / f64::from(report.steps.max(1)),
            symmetric_acceptance: report.symmetric_sum / f64::from(report.steps.max(1)),
            energy,
            divergence: path.divergence,
            depth: report.depth,
            depth_saturated: report.stop == Stop::DepthReached,
            evaluations: report.steps,
        })
    }
}

impl<E: Dtype, D: LogDensity<E>> Tunable<E, D> for Nuts<E> {
    fn step_size(&self) -> f64 {
        self.step_size
    }

    fn set_step_size(&mut self, step_size: f64) {
        self.step_size = step_size;
    }

    fn metric(&self) -> &Metric<E> {
        &self.metric
    }

    fn set_metric(&mut self, metric: Metric<E>) {
        self.metric = metric;
    }

    fn search_step_size(
        &mut self,
        density: &mut D,
        state: &State<E>,
        rng: &mut Rng,
    ) -> Result<StepSizeSearch, D::Error> {
        step_size_search::search(density, &mut self.metric, state, self.step_size, rng)
    }
}

/// The points that the integrator leads to from the first one. Momenta are summed in the element type: the sum
/// decides only where a trajectory ends.
struct HamiltonianPath<'a, E, D> {
    density: &'a mut D,
    metric: &'a mut Metric<E>,
    step: f64,
    max_error: f64,
    /// The energy of the first point.
    start: f64,
    divergence: Option<Divergence<E>>,
}

impl<E: Dtype, D: LogDensity<E>> Trajectory for HamiltonianPath<'_, E, D> {
    type Point = PhasePoint<E>;
    type Sum = Vec<E>;
    type Error = D::Error;

    fn new_point(&self) -> PhasePoint<E> {
        PhasePoint::zeros(self.metric.dim())
    }

    fn new_sum(&self) -> Vec<E> {
        vec![E::of(0.0); self.metric.dim()]
    }

    fn step(&mut self, from: &PhasePoint<E>, to: &mut PhasePoint<E>, direction: Direction) -> Result<Visit, D::Error> {
        let step = match direction {
            Direction::Forward => self.step,
            Direction::Backward => -self.step,
        };
        leapfrog(self.density, self.metric, step, from, to)?;
        let error = to.energy - self.start;
        // An error of −∞ is no better than one of ∞: the density is infinite there.
        let diverged = !(error <= self.max_error && error.is_finite());
        if diverged {
            let (from, to) = (from.position.clone(), to.position.clone());
            self.divergence = Some(Divergence { from, to, energy_error: error });
        }
        Ok(Visit { log_weight: -error, diverged })
    }

    fn own<'p>(&self, point: &'p PhasePoint<E>) -> &'p Vec<E> {
        &point.momentum
    }

    fn add(&self, a: &Vec<E>, b: &Vec<E>, sum: &mut Vec<E>) {
        sum.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (&a, &b))| *sum = a + b);
    }

    fn add_assign(&self, sum: &mut Vec<E>, other: &Vec<E>) {
        sum.iter_mut().zip(other).for_each(|(sum, &other)| *sum += other);
    }

    /// Betancourt's generalised criterion: a stretch goes on while both ends' velocities point along the summed
    /// momenta.
    fn turns(&self, [earliest, latest]: [&PhasePoint<E>; 2], [before, after]: [&Vec<E>; 2]) -> bool {
        let along = dots_with_sum([&earliest.velocity, &latest.velocity], [before, after]);
        !along.iter().all(|&along| along > 0.0)
    }
}
