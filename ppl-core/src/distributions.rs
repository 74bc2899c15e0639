//! The distributions, one a file.

// Shapes and elements of their parameters.
mod shapes;
// What the distributions over numbers share.
mod univariate;
// Draws of the gamma distribution, of which others are made.
#[allow(dead_code, reason = "for gamma and Dirichlet, which follow")]
mod standard_gamma;
// What densities of the gamma and beta kind are made of.
#[allow(dead_code, reason = "for gamma and beta, which follow")]
mod deviance;
// What distributions over counts share.
mod counting;
// Numbers on the real line.
mod normal;
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
mod ordered_logistic;
// Counts.
mod beta_binomial;
mod binomial;
mod gamma_poisson;
mod geometric;
mod negative_binomial;
mod poisson;
mod zero_inflated;
// Point masses and log-weights.
mod delta;
mod unit;

// Vectors.
mod multivariate_normal;
// Walks.
mod gaussian_random_walk;
// Stored samples, and flat priors.
mod empirical;
mod improper_uniform;
// Distributions of what is seen or made of another.
mod censored;
mod folded;
mod transformed;
// Mixtures.
mod mixture;
mod mixture_same_family;

// Distributions made of others, which the contract itself gives.
pub use crate::distribution::{Independent, Masked};
pub use bernoulli::Bernoulli;
pub use beta_binomial::BetaBinomial;
pub use binomial::Binomial;
pub use categorical::Categorical;
pub use censored::Censored;
pub use delta::Delta;
pub use empirical::Empirical;
pub use exponential::Exponential;
pub use folded::Folded;
pub use gamma_poisson::GammaPoisson;
pub use gaussian_random_walk::GaussianRandomWalk;
pub use geometric::Geometric;
pub use half_cauchy::HalfCauchy;
pub use half_normal::HalfNormal;
pub use improper_uniform::ImproperUniform;
pub use log_normal::LogNormal;
pub use mixture::{Components, Mixture};
pub use mixture_same_family::{Mixable, MixtureSameFamily};
pub use multivariate_normal::MultivariateNormal;
pub use negative_binomial::NegativeBinomial;
pub use normal::Normal;
pub use ordered_logistic::OrderedLogistic;
pub use poisson::Poisson;
pub use transformed::TransformedDistribution;
pub use uniform::Uniform;
pub use unit::Unit;
pub use zero_inflated::{ZeroInflated, ZeroInflatedNegativeBinomial, ZeroInflatedPoisson};
