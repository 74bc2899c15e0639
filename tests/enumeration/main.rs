//! Discrete sites summed out exactly, against sums over all assignments that know nothing of plates and chains.

// Sums over all assignments.
mod brute_force;
// Plates, and sites without.
mod plates;
// Markov chains.
mod chains;
// Sites that some values alone lead to.
mod control_flow;
// The objective.
mod objective;
// Enumerated sites of guides.
mod guides;
// What cannot be enumerated.
mod refused;
