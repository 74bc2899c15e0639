//! Chains: that nothing but the seed decides what they draw, and that nothing is lost.

// Targets with names, and the options of the tests.
mod targets;
// Threads, thinning, observers, sinks, interruption.
mod running;
// Saved and gone on with.
mod resuming;
