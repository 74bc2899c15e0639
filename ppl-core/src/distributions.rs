//! The distributions, one a file.
#![doc = include_str!("distributions/catalogue.md")]

// Shapes and elements of their parameters.
mod shapes;
// Parameters with an event along their last axis, and probabilities of categories among them.
mod rows;
mod weights;
// What the distributions over numbers share.
mod univariate;
// Probabilities between two points.
mod between;
// Integrals without a closed form.
mod quadrature;
// Powers of positive numbers.
mod power;
// Draws of the gamma distribution, of which others are made.
mod standard_gamma;
// What densities of the gamma and beta kind are made of.
mod deviance;
// Relative entropies, which large counts and concentrations are safe with.
mod relative_entropy;
// Moments of proportions, and their draws from logarithms of gammas.
mod proportions;
// What distributions over counts share.
mod counting;
// Numbers on the real line.
mod asymmetric_laplace;
mod cauchy;
mod gumbel;
mod laplace;
mod logistic;
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
mod pareto;
mod weibull;
// Numbers in an interval.
mod beta;
mod continuous_bernoulli;
mod kumaraswamy;
mod truncated_normal;
mod uniform;
// Angles.
mod von_mises;
// Zeros and ones, and categories.
mod bernoulli;
mod categorical;
mod one_hot_categorical;
mod ordered_logistic;
mod relaxed_bernoulli;
// Probabilities of categories, and relaxed categories.
mod dirichlet;
mod relaxed_one_hot_categorical;
// Counts.
mod beta_binomial;
mod binomial;
mod gamma_poisson;
mod geometric;
mod negative_binomial;
mod poisson;
mod zero_inflated;
// Counts of categories, of given proportions and of proportions that vary.
mod multinomial;
// Its proportions are those of a Dirichlet.
mod dirichlet_multinomial;
// Point masses and log-weights.
mod delta;
mod unit;
// Covariances and scales, in the form in which they were given.
mod scale_matrix;
// Vectors.
mod low_rank_multivariate_normal;
mod multivariate_normal;
mod multivariate_student_t;
// What the Wishart distributions share.
mod bartlett;
// Matrices.
mod inverse_wishart;
mod lkj_cholesky;
mod wishart;
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
// Sequences seen of a hidden chain.
mod discrete_hmm;
mod gaussian_hmm;
mod sequence;

// Divergences between pairs of them.
mod divergence;
// Posteriors of conjugate priors.
mod conjugate;

// Distributions made of others, which the contract itself gives.
pub use crate::distribution::{Independent, Masked};
pub use asymmetric_laplace::AsymmetricLaplace;
pub use bernoulli::Bernoulli;
pub use beta::Beta;
pub use beta_binomial::BetaBinomial;
pub use binomial::Binomial;
pub use categorical::Categorical;
pub use cauchy::Cauchy;
pub use censored::Censored;
pub use chi2::Chi2;
pub use conjugate::{
    BernoulliSample, CategoricalSample, Conjugate, ExponentialSample, NormalDeviations, NormalSample, PoissonSample,
};
pub use continuous_bernoulli::ContinuousBernoulli;
pub use delta::Delta;
pub use dirichlet::Dirichlet;
pub use dirichlet_multinomial::DirichletMultinomial;
pub use discrete_hmm::{DiscreteHmm, Emission};
pub use divergence::{KlDivergence, closed_kl};
pub use empirical::Empirical;
pub use exponential::Exponential;
pub use folded::Folded;
pub use gamma::Gamma;
pub use gamma_poisson::GammaPoisson;
pub use gaussian_hmm::GaussianHmm;
pub use gaussian_random_walk::GaussianRandomWalk;
pub use geometric::Geometric;
pub use gumbel::Gumbel;
pub use half_cauchy::HalfCauchy;
pub use half_normal::HalfNormal;
pub use improper_uniform::ImproperUniform;
pub use inverse_gamma::InverseGamma;
pub use inverse_wishart::InverseWishart;
pub use kumaraswamy::Kumaraswamy;
pub use laplace::Laplace;
pub use lkj_cholesky::LKJCholesky;
pub use log_normal::LogNormal;
pub use logistic::Logistic;
pub use low_rank_multivariate_normal::LowRankMultivariateNormal;
pub use mixture::{Components, Mixture};
pub use mixture_same_family::{Mixable, MixtureSameFamily};
pub use multinomial::Multinomial;
pub use multivariate_normal::MultivariateNormal;
pub use multivariate_student_t::MultivariateStudentT;
pub use negative_binomial::NegativeBinomial;
pub use normal::Normal;
pub use one_hot_categorical::{OneHotCategorical, OneHotCategoricalStraightThrough};
pub use ordered_logistic::OrderedLogistic;
pub use pareto::Pareto;
pub use poisson::Poisson;
pub use relaxed_bernoulli::{LogitRelaxedBernoulli, RelaxedBernoulli, RelaxedBernoulliStraightThrough};
pub use relaxed_one_hot_categorical::{
    ExpRelaxedCategorical, RelaxedOneHotCategorical, RelaxedOneHotCategoricalStraightThrough,
};
pub use sequence::{MatricesFor, Sequences, SquareMatrices, VectorsFor};
pub use student_t::StudentT;
pub use transformed::TransformedDistribution;
pub use truncated_normal::TruncatedNormal;
pub use uniform::Uniform;
pub use unit::Unit;
pub use von_mises::VonMises;
pub use weibull::Weibull;
pub use wishart::Wishart;
pub use zero_inflated::{ZeroInflated, ZeroInflatedNegativeBinomial, ZeroInflatedPoisson};
