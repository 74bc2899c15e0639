//! Models in other coordinates: densities and gradients, typed traces, the no-U-turn sampler, a guide.

// Densities over unconstrained numbers, with and without.
mod densities;
// In single precision.
mod single_precision;
// Neal's funnel.
mod funnel;
// All latent sites through a flow.
mod transport;
// A guide of what is latent.
mod guide;
