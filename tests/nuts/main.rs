//! The no-U-turn sampler on models written in the language, against posteriors that another program found.

// The reference models.
#[path = "../models/mod.rs"]
mod models;
// Their posteriors against NumPyro's.
mod posteriors;
