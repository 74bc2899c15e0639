//! The distributions, one a file.

// Shapes and elements of their parameters.
mod shapes;
// What the distributions over numbers share.
mod univariate;
// Draws of the gamma distribution, of which others are made.
mod standard_gamma;
// What densities of the gamma and beta kind are made of.
mod deviance;
// Numbers on the real line.
mod normal;
mod student_t;
// Positive numbers.
mod chi2;
mod exponential;
mod gamma;
mod half_cauchy;
mod half_normal;
mod inverse_gamma;
mod log_normal;
// Numbers in an interval.
mod beta;
mod uniform;
// Zeros and ones, and categories.
mod bernoulli;
mod categorical;
// Point masses and log-weights.
mod delta;
mod unit;

// Distributions made of others, which the contract itself gives.
pub use crate::distribution::{Independent, Masked};
pub use bernoulli::Bernoulli;
pub use beta::Beta;
pub use categorical::Categorical;
pub use chi2::Chi2;
pub use delta::Delta;
pub use exponential::Exponential;
pub use gamma::Gamma;
pub use half_cauchy::HalfCauchy;
pub use half_normal::HalfNormal;
pub use inverse_gamma::InverseGamma;
pub use log_normal::LogNormal;
pub use normal::Normal;
pub use student_t::StudentT;
pub use uniform::Uniform;
pub use unit::Unit;
