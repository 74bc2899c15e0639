//! The distributions, one a file.

// Shapes and elements of their parameters.
mod shapes;
// What the distributions over numbers share.
mod univariate;
// Integrals without a closed form, and powers of positive numbers.
mod power;
mod quadrature;
// Numbers on the real line.
mod asymmetric_laplace;
mod cauchy;
mod gumbel;
mod laplace;
mod logistic;
mod normal;
// Positive numbers.
mod exponential;
mod half_cauchy;
mod half_normal;
mod log_normal;
mod pareto;
mod weibull;
// Numbers in an interval.
mod continuous_bernoulli;
mod kumaraswamy;
mod truncated_normal;
mod uniform;
// Angles.
mod von_mises;
// Zeros and ones, and categories.
mod bernoulli;
mod categorical;
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
pub use asymmetric_laplace::AsymmetricLaplace;
pub use bernoulli::Bernoulli;
pub use categorical::Categorical;
pub use cauchy::Cauchy;
pub use censored::Censored;
pub use continuous_bernoulli::ContinuousBernoulli;
pub use delta::Delta;
pub use empirical::Empirical;
pub use exponential::Exponential;
pub use folded::Folded;
pub use gaussian_random_walk::GaussianRandomWalk;
pub use gumbel::Gumbel;
pub use half_cauchy::HalfCauchy;
pub use half_normal::HalfNormal;
pub use improper_uniform::ImproperUniform;
pub use kumaraswamy::Kumaraswamy;
pub use laplace::Laplace;
pub use log_normal::LogNormal;
pub use logistic::Logistic;
pub use mixture::{Components, Mixture};
pub use mixture_same_family::{Mixable, MixtureSameFamily};
pub use multivariate_normal::MultivariateNormal;
pub use normal::Normal;
pub use pareto::Pareto;
pub use transformed::TransformedDistribution;
pub use truncated_normal::TruncatedNormal;
pub use uniform::Uniform;
pub use unit::Unit;
pub use von_mises::VonMises;
pub use weibull::Weibull;
