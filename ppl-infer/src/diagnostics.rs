//! What draws tell of a posterior, and of themselves: convergence, effective sample size, Monte Carlo
//! errors, intervals, the fit to data left out, and the table of all that.
//!
//! Everything here is a pure function of numbers in `f64` and knows no sampler. Draws of one scalar
//! quantity come as [`Chains`], pointwise log-likelihoods as [`LogLikelihood`]. Names and values are
//! ArviZ's (checked against version 0.23.4), whose definitions are those of Vehtari, Gelman, Simpson,
//! Carpenter, Bürkner, *Rank-normalization, folding, and localization: an improved R̂*, Bayesian
//! Analysis 16, 2021, <https://arxiv.org/abs/1903.08008>.
//!
//! A NaN or an infinity among the draws makes every figure NaN, and so do fewer than four draws a chain
//! where a figure needs halves of chains. (ArviZ ranks infinities and gives a number; R's posterior
//! package gives none, as here: a quantity that was infinite needs a look, not a rating.)
//!
//! ```
//! use ppl_infer::diagnostics::{Chains, ess_bulk, mcse_mean};
//!
//! let left = [0.3, -1.2, 0.8, 0.1, -0.4, 1.1];
//! let right = [-0.7, 0.2, 1.4, -0.9, 0.5, -0.1];
//! let chains = Chains::new(&[&left, &right])?;
//! assert!(ess_bulk(&chains) > 2.0);
//! // A Monte Carlo error has the unit of its draws.
//! let tenfold = [left, right].map(|chain| chain.map(|x| 10.0 * x));
//! let tenfold = Chains::new(&[&tenfold[0], &tenfold[1]])?;
//! assert!((mcse_mean(&tenfold) / mcse_mean(&chains) - 10.0).abs() < 1e-12);
//! # Ok::<(), ppl_infer::diagnostics::DiagnosticsError>(())
//! ```

// Draws as chains of equal length.
mod chains;
// Mean and standard deviation of any size of numbers.
mod moments;
// Quantiles.
mod quantile;
// Ranks and normal scores.
mod ranks;
// R-hat.
mod rhat;
// Autocovariance, by fast Fourier transforms.
mod autocovariance;
// Effective sample sizes.
mod ess;
// Monte Carlo standard errors.
mod mcse;
// The interval of highest density.
mod hdi;
// The energy's fraction of missing information.
mod bfmi;
// Log-likelihoods of observations, draw by draw.
mod log_likelihood;
// The widely applicable information criterion.
mod waic;
// Pareto smoothed importance sampling.
mod psis;
// Leave-one-out cross-validation by it.
mod loo;
// All figures of each quantity.
mod summary;
// What is wrong, in words.
mod warnings;
// The printed table.
mod table;

pub use autocovariance::{autocorr, autocov};
pub use bfmi::bfmi;
pub use chains::{Chains, DiagnosticsError};
pub use ess::{ess_bulk, ess_mean, ess_quantile, ess_sd, ess_tail, relative_efficiency};
pub use hdi::hdi;
pub use log_likelihood::LogLikelihood;
pub use loo::{Loo, loo};
pub use mcse::{mcse_mean, mcse_quantile, mcse_sd};
pub use moments::{mean, moving_average, sd};
pub use psis::psislw;
pub use quantile::quantile;
pub use ranks::{ranks, z_scale};
pub use rhat::{rhat, rhat_bulk, rhat_folded, rhat_split};
pub use summary::{Summary, SummaryRow};
pub use waic::{Waic, waic};
pub use warnings::{SamplerFigures, Warning};
