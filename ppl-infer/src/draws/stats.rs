//! What happened at a draw.

use serde::{Deserialize, Serialize};

/// What a sampler did to come to a draw. What it does not have (a tree in random-walk Metropolis) is zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SampleStats {
    /// The log-density at the draw, in unconstrained numbers.
    pub log_density: f64,
    /// The probability of acceptance, or its mean over a trajectory.
    pub accept_probability: f64,
    /// The step size.
    pub step_size: f64,
    /// The energy: kinetic energy less log-density.
    pub energy: f64,
    /// How often a tree was doubled.
    pub depth: u32,
    /// Whether a tree was as deep as allowed, and might have grown.
    pub depth_saturated: bool,
    /// How often the log-density was evaluated with its gradient.
    pub evaluations: u32,
    /// Whether the trajectory diverged.
    pub diverging: bool,
}
