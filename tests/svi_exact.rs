//! Variational inference against closed forms: losses, gradients, posteriors, and guides that do
//! not fit.

#[path = "svi/chain.rs"]
mod chain;
#[path = "svi/coin.rs"]
mod coin;
#[path = "svi/estimate.rs"]
mod estimate;
#[path = "svi/fit.rs"]
mod fit;
#[path = "svi/gradients.rs"]
mod gradients;
#[path = "svi/grid.rs"]
mod grid;
#[path = "svi/identities.rs"]
mod identities;
#[path = "svi/pathwise.rs"]
mod pathwise;
#[path = "svi/posteriors.rs"]
mod posteriors;
#[path = "svi/score.rs"]
mod score;
#[path = "svi/scored.rs"]
mod scored;
#[path = "svi/subsample.rs"]
mod subsample;
