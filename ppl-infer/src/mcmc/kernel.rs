//! The contract of kernels: `init` makes a state of a position, `step` goes from state to state.

use ppl_core::Dtype;
use ppl_core::rng::Rng;
use serde::{Deserialize, Serialize};

use super::metric::Metric;
use crate::density::LogDensity;

/// Where a chain is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State<E> {
    /// The position.
    pub position: Vec<E>,
    /// The gradient of the log-density there.
    pub gradient: Vec<E>,
    /// The log-density there.
    pub log_density: f64,
}

impl<E: Dtype> State<E> {
    /// The state at a position.
    ///
    /// # Errors
    /// Those of the density.
    ///
    /// # Panics
    /// If the position has another length than the density's dimension.
    pub fn at<D: LogDensity<E>>(density: &mut D, position: &[E]) -> Result<Self, D::Error> {
        assert_eq!(position.len(), density.dim(), "a position has as many coordinates as its density");
        let mut gradient = vec![E::of(0.0); position.len()];
        let log_density = density.evaluate(position, &mut gradient)?;
        Ok(State { position: position.to_vec(), gradient, log_density })
    }

    /// Whether a chain can begin here: the log-density and its gradient are finite. From any other
    /// state Hamiltonian kernels do not move.
    pub fn is_finite(&self) -> bool {
        self.log_density.is_finite() && self.gradient.iter().all(|g| g.is_finite())
    }
}

/// Where the integrator lost the energy.
#[derive(Clone, Debug, PartialEq)]
pub struct Divergence<E> {
    /// The position from which the last step was taken.
    pub from: Vec<E>,
    /// The position to which it led.
    pub to: Vec<E>,
    /// The energy there less the energy at the start; NaN and ∞ are possible.
    pub energy_error: f64,
}

/// What happened in a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Info<E> {
    /// The probability of acceptance; of a tree, its mean over all points but the first (Hoffman and
    /// Gelman, *The No-U-Turn Sampler*, 2014, section 3.2). Stan's warm-up steers it.
    pub accept_probability: f64,
    /// The same with [`symmetric_acceptance`](super::symmetric_acceptance) of each point. Overlapping warm-up steers it.
    pub symmetric_acceptance: f64,
    /// The energy at the new state: the negative log-density, and the kinetic energy where there is one.
    pub energy: f64,
    /// Where the trajectory diverged, if it did.
    pub divergence: Option<Divergence<E>>,
    /// How often a tree was doubled; 0 where there is none.
    pub depth: u32,
    /// Whether a tree was as deep as allowed, and might have grown.
    pub depth_saturated: bool,
    /// How often the log-density was evaluated.
    pub evaluations: u32,
}

/// A Markov kernel that leaves the density invariant.
pub trait Kernel<E: Dtype, D: LogDensity<E>> {
    /// The state at a position, whose length must be the density's dimension. Whether it
    /// [is finite](State::is_finite) is the caller's to ask.
    ///
    /// # Errors
    /// Those of the density.
    fn init(&mut self, density: &mut D, position: &[E]) -> Result<State<E>, D::Error> {
        State::at(density, position)
    }

    /// Steps to a new state. All that is random comes from `rng`: give each step a stream of its own.
    ///
    /// # Errors
    /// Those of the density; the state is then the old one.
    fn step(&mut self, density: &mut D, state: &mut State<E>, rng: &mut Rng) -> Result<Info<E>, D::Error>;
}

/// What a search for a step size came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StepSizeSearch {
    /// This step size will do to begin with.
    Found(f64),
    /// However large the steps, they are accepted: the density is improper.
    TooLarge,
    /// However small the steps, they are not accepted: the density is not continuous, or its
    /// gradient is wrong.
    TooSmall,
}

/// A kernel with a step size and a metric that a warm-up can set.
pub trait Tunable<E: Dtype, D: LogDensity<E>>: Kernel<E, D> {
    /// The step size: the integrator's, or the scale of a random walk.
    fn step_size(&self) -> f64;

    /// Sets the step size.
    fn set_step_size(&mut self, step_size: f64);

    /// The inverse mass matrix, or the covariance of a random walk with steps of size 1.
    fn metric(&self) -> &Metric<E>;

    /// Sets the metric.
    fn set_metric(&mut self, metric: Metric<E>);

    /// A step size to begin with at this state, beginning the search at the present one. Sets nothing.
    ///
    /// # Errors
    /// Those of the density.
    fn search_step_size(
        &mut self,
        density: &mut D,
        state: &State<E>,
        rng: &mut Rng,
    ) -> Result<StepSizeSearch, D::Error>;
}
