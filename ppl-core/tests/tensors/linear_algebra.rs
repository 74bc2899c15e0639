//! Linear algebra on batches of matrices: values and gradients against torch and mpmath, gradients
//! against finite differences, ill-conditioned matrices, edges, and what does not fit.

// Torch's values and gradients, in f64 and f32.
mod references;
// Finite differences.
mod differences;
// Sizes 0 and 1, large batches, matrices that are not positive definite, shapes that do not fit.
mod edges;
