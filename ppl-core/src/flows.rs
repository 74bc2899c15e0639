//! Normalising flows: transforms whose weights are parameters, for `module!`.
//!
//! Each flow is a [`Module`](crate::params::Module), so that inference optimises it, and a
//! [`Transform`](crate::transform::Transform) of rows of numbers, so that
//! [`TransformedDistribution`](crate::distributions::TransformedDistribution) makes a distribution of
//! it, in a guide or in a model. The base's events must be whole rows; see
//! [`to_event`](crate::distribution::Distribution::to_event).
//!
//! | flow | from the base to the value | back |
//! | --- | --- | --- |
//! | [`Planar`] | closed form | a root of one equation a row |
//! | [`Radial`] | closed form | closed form |
//! | [`AffineCoupling`] (RealNVP) | one pass | one pass |
//! | [`AffineAutoregressive`] (IAF) | one pass | a pass for each variable |
//! | [`Inverse`] of it (MAF) | a pass for each variable | one pass |
//! | [`Spline`] | closed form | closed form |
//! | [`SplineAutoregressive`] | one pass | a pass for each variable |
//! | [`BatchNorm`] | closed form | closed form |
//! | [`Stack`] | one after the other | backwards |
//!
//! A flow remembers the last pair that it mapped. So the density of a draw, which a guide needs, takes
//! no way back: it is found from what made the draw, with the same value and the same gradients. The
//! memory is the flow's own: it is lost in a clone, and used only for the very tensor it was made
//! of, under the same recorder of gradients.
//!
//! ```
//! use ppl_core::distribution::Distribution;
//! use ppl_core::distributions::{Normal, TransformedDistribution};
//! use ppl_core::flows::{AffineAutoregressive, Stack};
//! use ppl_core::transform::Permute;
//! use ppl_core::{Axis, Rank2, Tensor, params::Init, rng::Rng};
//!
//! let mut init = Init::new(Rng::seed(0));
//! let flow = Stack::new()
//!     .then(AffineAutoregressive::new(&mut init, 2, &[16]))
//!     .then(Permute::reversed(2))
//!     .then(AffineAutoregressive::new(&mut init, 2, &[16]));
//! let base = Normal::filled(Rank2::<5, 2>::default(), 0.0, 1.0).to_event::<Axis<1>>();
//! let dist = TransformedDistribution::new(base, flow);
//! let x: Tensor<Rank2<5, 2>> = dist.draw(&mut Rng::seed(1));
//! assert_eq!(dist.log_prob(&x).shape(), (ppl_core::Const::<5>,));
//! ```
//!
//! How little a guide changes when it takes a flow is shown on the front page of the crate `ppl`.
//!
//! Reference: Papamakarios et al., *Normalizing Flows for Probabilistic Modeling and Inference*, 2021.

// The last pair that a flow mapped.
mod memory;
// What a flow does with rows, from which the rest is made.
mod bijection;
// Columns of rows of numbers.
mod columns;
// Scales and shifts, element by element, and the bounds of their logarithms.
mod scale_shift;
// Real NVP.
mod affine_coupling;
// One variable after the other.
mod in_order;
// Inverse and masked autoregressive flows.
mod affine_autoregressive;
// Towards or away from a plane.
mod planar;
// Towards or away from a point.
mod radial;
// One monotone rational-quadratic spline, with its derivatives.
mod rational_quadratic;
// A spline for each variable.
mod spline;
// Splines that depend on the variables before.
mod spline_autoregressive;
// Standardised rows.
mod batch_norm;
// One flow after another, and backwards.
mod stack;
// Reordered variables.
mod permutation;

pub use affine_autoregressive::AffineAutoregressive;
pub use affine_coupling::AffineCoupling;
pub use batch_norm::{BatchNorm, Statistic};
pub use bijection::Flow;
pub use planar::Planar;
pub use radial::Radial;
pub use spline::Spline;
pub use spline_autoregressive::SplineAutoregressive;
pub use stack::{Inverse, Layer, Stack};

pub use crate::transform::{Flat, Permute};
