//! The no-U-turn sampler on models written in the language, against posteriors that another program found.

// The eight schools, uncentred.
mod eight_schools;
// Another sampler on the same density.
mod driven_by_nuts_rs;
