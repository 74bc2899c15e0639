//! Guides made of a model alone, against the posteriors that their families can reach.

// What a family of normal distributions makes of a normal posterior.
mod normal_posteriors;
// Points, and the curvature there.
mod points;
// Constrained values, and their Jacobians.
mod constrained;
// Plates with some of their rows.
mod batches;
// A normal posterior of three numbers.
mod plane;
// Several blocks as one guide.
mod blocks;
// Parts that are written by hand.
mod by_hand;
// Normal distributions of sites given others.
mod structured;
// Discrete sites, alone and beside continuous ones.
mod discrete;
// What no autoguide can be made of.
mod refused;
