//! Importance sampling, rejection and sequential Monte Carlo against closed forms, Kalman filters and quadrature.

// Models of one mean, with their closed forms.
mod closed_forms;
// The same work on one thread and on several.
mod threads;

// Means with standard errors.
#[path = "../svi/estimate.rs"]
mod estimate;
// A linear-Gaussian state space.
mod kalman;

// Draws of the prior or a guide, weighed.
mod importance;
// Exact draws.
mod rejection;
// Particles in time.
mod filter;
// Particles over temperatures.
mod tempered;
// Markov chains made of particle filters.
mod particle_chains;
