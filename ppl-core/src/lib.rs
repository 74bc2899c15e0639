//! The core of ppl: tensors with a tape, distributions, sites, and the effect handlers that give
//! `sample!` and `param!` their meaning.
//!
//! Modules stand in dependency order; each uses only those above it. The five from `autodiff` to
//! `ops` are one layer: a tensor, its tape and its kernels are defined by one another.

// Element types: f32 and f64.
pub mod dtype;
// What threads may share.
pub mod shared;
// Work shared among threads.
mod threads;
// What can go wrong, in words.
pub mod error;
// The `Copy` tape flag, the recorder of backward operations, gradients.
pub mod autodiff;
// The tensor newtype over dfdx, its construction and its operators.
pub mod tensor;
// Element functions with their derivatives.
pub mod functions;
// What a device must do for us beyond dfdx, and how the CPU does it.
pub mod backend;
// Tensor methods: arithmetic, reductions, matrix products, movement.
pub mod ops;
// Seeds, streams and generators.
pub mod rng;
// Smooth maps of numbers and rows, with their Jacobians.
pub mod transform;
// Sets that parameters and values live in, with their maps from unconstrained numbers.
pub mod constraint;
// Names of sites.
pub mod address;
// Plates: independence and subsampling.
pub mod plate;
// Values that a site can hold, and maps of them by name.
pub mod values;
// The contract of a distribution.
pub mod distribution;
// The distributions, one a file.
pub mod distributions;
// A sample statement on its way through the handlers.
pub mod site;
// Parameters: the statement, the store, structs of tensors.
pub mod params;
// What inference overrides.
pub mod handler;
// The record of a run.
pub mod trace;
// The handlers, one effect a file.
pub mod handlers;
// What is sampled once for a key.
pub mod memo;
// Models as values, and what runs them.
pub mod model;
// Layers of neural networks, ours and dfdx's.
pub mod nn;
// Normalising flows: transforms with parameters.
pub mod flows;
// What the compiler checks of a guide against its model.
pub mod checks;
// What the macros' expansion calls.
pub mod primitives;
// A guide's sample statement, checked against the model.
pub mod guide;

pub use dfdx::shapes::{
    Axes2, Axes3, Axes4, Axis, Const, ConstShape, Dim, Rank0, Rank1, Rank2, Rank3, Rank4, Rank5, Rank6, Shape,
};
pub use dfdx::tensor::Cpu;
#[cfg(feature = "cuda")]
pub use dfdx::tensor::Cuda;
pub use dtype::Dtype;
pub use error::Error;
pub use tensor::Tensor;
