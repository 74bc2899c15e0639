//! Markov chain Monte Carlo: what is exact, and that known targets are sampled.

#[path = "mcmc/coordinates.rs"]
mod coordinates;
#[path = "mcmc/detailed_balance.rs"]
mod detailed_balance;
#[path = "mcmc/estimates.rs"]
mod estimates;
#[path = "mcmc/integrator.rs"]
mod integrator;
#[path = "mcmc/metrics.rs"]
mod metrics;
#[path = "mcmc/outcomes.rs"]
mod outcomes;
#[path = "mcmc/posteriors.rs"]
mod posteriors;
#[path = "mcmc/schedule.rs"]
mod schedule;
#[path = "mcmc/targets.rs"]
mod targets;
