//! Parameters and layers.

// Against which gradients are tested.
#[path = "../tensors/finite_differences.rs"]
mod finite_differences;
// The store of parameters.
mod params;
// Layers, alone and beside the same maps out of single operations.
mod composed_layers;
mod nn;
mod rnn;
// One weight in many products.
mod shared_weights;
