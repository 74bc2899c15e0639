//! The no-U-turn sampler on models written in the language, against densities and posteriors that another program found.

// The reference models.
#[path = "../models/mod.rs"]
mod models;
// Their densities against NumPyro's.
mod densities;
// Their posteriors against NumPyro's.
mod posteriors;
// Another sampler on one of their densities.
mod driven_by_nuts_rs;
