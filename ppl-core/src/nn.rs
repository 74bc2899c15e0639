//! Layers of neural networks: structs of tensors with a `forward`, for `module!`.
//!
//! ```
//! use ppl_core::nn::{Activation, Mlp};
//! use ppl_core::{Const, Rank2, Tensor, params::Init, rng::Rng};
//!
//! let mut init = Init::new(Rng::seed(0));
//! let decoder: Mlp<Const<2>, Const<5>> =
//!     Mlp::new(&mut init, Const, &[8, 8], Const, Activation::Softplus).with_output(Activation::Sigmoid);
//! let z = Tensor::<Rank2<3, 2>>::zeros();
//! let means: Tensor<Rank2<3, 5>> = decoder.forward(&z);
//! assert!(means.to_vec().iter().all(|&p| p > 0.0 && p < 1.0));
//! ```

// Random initial weights, by the size of a layer.
mod initialise;
// x · w + b and an activation, fused.
mod linear;
// Several linear maps, one after the other.
mod mlp;
// A perceptron in which each variable's outputs see only those before it.
mod autoregressive;
// Elman's recurrent layer.
mod rnn;
// dfdx's modules, walked and differentiated as ours.
mod dfdx_module;

pub use crate::backend::{Activation, Direction};
pub use autoregressive::AutoregressiveNetwork;
pub use dfdx_module::Dfdx;
pub use initialise::Initialise;
pub use linear::Linear;
pub use mlp::Mlp;
pub use rnn::Rnn;
