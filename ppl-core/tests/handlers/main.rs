//! The algebra of the handlers, on models expanded by hand: what each effect does, how effects
//! compose, and that whatever is wrong is an error that names the thing while the run still returns.
//!
//! The properties are checked on a few random cases of a fixed seed.

// A model expanded by hand, and what handlers rely on.
mod contract;
// Ground-truth models, runs and comparisons.
mod models;
// A run repeated: replay, substitute, seed.
mod repetition;
// Who decides a value: condition, uncondition, intervene, block.
mod values;
// What multiplies and leaves out log-densities: scale, mask, subsamples.
mod weights;
// Plates: nested, in loops, empty, entered twice, left early.
mod plates;
// Sites by way of other sites: densities, gradients.
mod reparam;
// The same among the other effects, and in families, scopes and plates.
mod reparam_laws;
// All latent sites by way of one vector.
mod neutra;
// Parameters and who supplies them.
mod parameters;
// What is wrong, in words.
mod errors;
