//! Tensor methods: functions of elements, reductions, matrix products and movement.

// exp, ln, softplus, powers, clamp, where, ….
mod elements;
// lgamma, digamma, the incomplete gamma and beta functions, Bessel functions, ….
mod special;
// sum, mean, logsumexp, max over axes.
mod reductions;
// Matrix products.
mod matmul;
// broadcast, permute, slice, concat, stack, gather.
mod movement;
// Cholesky factors, triangular systems, determinants, inverses: batches of matrices.
mod linear_algebra;

pub(crate) use linear_algebra::dense;
pub use linear_algebra::{Batch, MatrixShape, NotPositiveDefinite, Triangle, Vectors};
pub(crate) use linear_algebra::{KalmanFilter, StateSpace, Trajectory, Variances};
pub use matmul::MatMulShape;
pub(crate) use movement::{check_expands, expanded_positions};
pub use movement::{concat, stack};
