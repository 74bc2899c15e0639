//! Tensors, their operations and their gradients.

// Against which every gradient is tested.
mod finite_differences;
// The recorder.
mod autodiff;
// Functions of single elements, and special ones.
mod elements;
mod special_functions;
// Operators, movement, sums, products of matrices, factorisations.
mod linear_algebra;
mod matmul;
mod movement;
mod operators;
mod reductions;
// Fused kernels.
mod backends;
// Several threads.
mod threads;
