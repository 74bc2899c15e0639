//! Objectives of variational inference against closed forms, by enumeration, and against one another.

// The smallest model with its closed forms.
#[path = "../svi/chain.rs"]
mod chain;
// Means with standard errors.
#[path = "../svi/estimate.rs"]
mod estimate;
// Losses and gradients of objectives, step by step.
#[path = "../svi/gradients.rs"]
mod gradients;
// What any objective can ask for.
mod contract;
// Particles on threads.
mod parallel;
// Exact means and variances of gradients, over all values of coins.
mod enumerated;
// Scores weighed by what comes after.
mod trace_graph;
// Closed divergences.
mod mean_field;
// Any distribution, scored.
#[path = "../svi/scored.rs"]
mod scored;
// Closed forms of conjugate models.
mod conjugate;
// Runs weighed against one another.
mod weighted;
// The same over other families.
mod weighted_families;
// Particles that move together.
mod svgd;
// Gradients against differences of the loss.
mod differences;
// Observations that are drawn, beside the data.
mod energy_distance;
// Latent draws of the guide, beside the prior's.
mod mmd;
