//! Gibbs sampling: posteriors that are known by enumeration, quadrature or conjugacy; what cannot be, named; and chains that go on
//! bit for bit.

// Estimates against known values.
mod estimates;
// A normal variable between two coins, by every kernel there is.
mod sandwich;
// A normal's mean and variance, against the closed form.
mod conjugate;
// A hidden Markov chain, against forward-backward.
mod hidden_markov;
// A mixture with few data, against all assignments; and that exact draws stay exact.
mod mixture;
// The same mixture in single precision.
mod single_precision;
// Elements of plates that are independent, and that only seem to be.
mod plates;
// Supports that move with other sites.
mod moving_support;
// What must be mended, by name.
mod refused;
// Saved and gone on with.
mod resume;
// Three normal components and 200 data.
mod gaussian_mixture;
