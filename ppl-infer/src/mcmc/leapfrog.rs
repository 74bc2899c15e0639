//! The leapfrog integrator: reversible, volume preserving, of order two.

use ppl_core::Dtype;
use ppl_core::rng::Rng;

use super::kernel::State;
use super::metric::Metric;
use crate::density::LogDensity;

/// A point of phase space, with what is known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct PhasePoint<E> {
    /// The position.
    pub position: Vec<E>,
    /// The momentum.
    pub momentum: Vec<E>,
    /// The velocity M⁻¹·p.
    pub velocity: Vec<E>,
    /// The gradient of the log-density.
    pub gradient: Vec<E>,
    /// The log-density.
    pub log_density: f64,
    /// The energy: ½·pᵀ·M⁻¹·p less the log-density.
    pub energy: f64,
}

impl<E: Dtype> PhasePoint<E> {
    /// A place for points of this dimension; zero everywhere.
    pub fn zeros(dim: usize) -> Self {
        let zeros = || vec![E::of(0.0); dim];
        PhasePoint {
            position: zeros(),
            momentum: zeros(),
            velocity: zeros(),
            gradient: zeros(),
            log_density: 0.0,
            energy: 0.0,
        }
    }

    /// Puts a state here, with a momentum drawn for it.
    pub fn begin(&mut self, state: &State<E>, metric: &mut Metric<E>, rng: &mut Rng) {
        self.position.copy_from_slice(&state.position);
        self.gradient.copy_from_slice(&state.gradient);
        self.log_density = state.log_density;
        metric.draw_momentum(rng, &mut self.momentum);
        self.complete(metric);
    }

    /// Moves the state here, which takes this point's buffers for its own.
    pub(crate) fn move_to(&mut self, state: &mut State<E>) {
        std::mem::swap(&mut state.position, &mut self.position);
        std::mem::swap(&mut state.gradient, &mut self.gradient);
        state.log_density = self.log_density;
    }

    /// Velocity and energy, of the momentum and the log-density.
    fn complete(&mut self, metric: &mut Metric<E>) {
        metric.velocity(&self.momentum, &mut self.velocity);
        self.energy = Metric::kinetic_energy(&self.momentum, &self.velocity) - self.log_density;
    }
}

/// One step from a point to another place, without allocating; a negative step goes back in time.
///
/// p ← p + ½ε·∇log π(q), q ← q + ε·M⁻¹·p, p ← p + ½ε·∇log π(q). Leimkuhler and Reich, *Simulating
/// Hamiltonian Dynamics* (2004), section 4.2.
///
/// # Errors
/// Those of the density.
///
/// # Panics
/// If the points, the metric and the density differ in dimension.
pub fn leapfrog<E: Dtype, D: LogDensity<E>>(
    density: &mut D,
    metric: &mut Metric<E>,
    step: f64,
    from: &PhasePoint<E>,
    to: &mut PhasePoint<E>,
) -> Result<(), D::Error> {
    let (whole, half) = (E::of(step), E::of(0.5 * step));
    let kicked = from.momentum.iter().zip(&from.gradient);
    to.momentum.iter_mut().zip(kicked).for_each(|(to, (&p, &g))| *to = p + half * g);
    metric.velocity(&to.momentum, &mut to.velocity);
    let drifted = from.position.iter().zip(&to.velocity);
    to.position.iter_mut().zip(drifted).for_each(|(to, (&q, &v))| *to = q + whole * v);
    to.log_density = density.evaluate(&to.position, &mut to.gradient)?;
    to.momentum.iter_mut().zip(&to.gradient).for_each(|(p, &g)| *p += half * g);
    to.complete(metric);
    Ok(())
}
