//! The distributions, one a file.

// Shapes and elements of their parameters.
mod shapes;
// What the distributions over numbers share.
mod univariate;
// Numbers on the real line.
mod normal;
mod cauchy;
mod gumbel;
mod laplace;
mod logistic;
// Positive numbers.
mod exponential;
mod half_cauchy;
mod half_normal;
mod log_normal;
// Numbers in an interval.
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
pub use categorical::Categorical;
pub use cauchy::Cauchy;
pub use delta::Delta;
pub use exponential::Exponential;
pub use gumbel::Gumbel;
pub use half_cauchy::HalfCauchy;
pub use half_normal::HalfNormal;
pub use laplace::Laplace;
pub use log_normal::LogNormal;
pub use logistic::Logistic;
pub use normal::Normal;
pub use uniform::Uniform;
pub use unit::Unit;
