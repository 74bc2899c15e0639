//! Files of draws: what was written comes back, from our reader and from other tools.

mod runs;
mod stan_csv;
mod stan_csv_errors;
