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

pub use matmul::MatMulShape;
pub use movement::{concat, stack};
