//! Guides made of a model alone, against the posteriors that their families can reach.

// What a family of normal distributions makes of a normal posterior.
mod normal_posteriors;
// Points, and the curvature there.
mod points;
// Constrained values, and their Jacobians.
mod constrained;
// Plates with some of their rows.
mod batches;
// What no autoguide can be made of.
mod refused;
