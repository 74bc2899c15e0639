//! The density of a model over unconstrained numbers: known values, integrals, gradients, and what has no such density.

// Closed forms, and models with everything in them.
mod known;
// Densities that integrate to one, which shows the Jacobians.
mod integrals;
// Models that do not stand in a vector.
mod refused;
