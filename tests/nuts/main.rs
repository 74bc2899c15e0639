//! The no-U-turn sampler on models written in the language, against posteriors that another program found.

// The eight schools, uncentred.
mod eight_schools;
// The densities of six reference models.
mod densities;

#[path = "../models/mod.rs"]
mod models;
