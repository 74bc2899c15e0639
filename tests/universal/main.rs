//! Programs whose sites come and go: all their executions, Markov chains over their traces, memoised draws.

// Executions one after another.
mod executions;
// What cannot be explored.
mod refused;
// Single-site Metropolis.
mod metropolis;
// Random programs, by every engine and by hand.
mod programs;
// What is sampled once for a key.
mod memo;
// Queries in models.
mod nested;
// Handlers of names and values.
mod handlers;
// The same in single precision.
mod single_precision;
