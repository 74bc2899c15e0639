//! Every construct of the language, run against the handlers of the core.

// Names and branches: what is a field, and which.
mod control_flow;
// Families in loops and closures, and plates.
mod families;
// Types, constants, lifetimes, dtypes.
mod generics;
// Models in models, and in themselves.
mod submodels;
// Parameters and modules.
mod params;
// Weighted sites.
mod scales;
// Parameters on the simplex, the sphere and among matrices.
mod constraints;
// Guides.
mod guides;
// Values to condition on.
mod values;
// Parameters with priors.
mod lifted;
// Their posteriors, and the parameters beside them.
mod lifted_posteriors;
