//! Normalising flows against Pyro, numerical Jacobians and finite differences, and as modules.

// One of every flow.
mod table;
// Values and Jacobians of Pyro.
mod reference;
// There and back again, in tails and for numbers that are none.
mod round_trips;
// ln |det J| and its triangular shape.
mod jacobian;
// Gradients in arguments and parameters.
mod gradients;
// What a flow remembers of the last pair.
mod memory;
// Names, initial values, batches, mistakes.
mod modules;
// Kept statistics and those of a batch.
mod batch_norm;
