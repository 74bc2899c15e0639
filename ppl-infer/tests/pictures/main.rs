//! Pictures of draws: what is in them, what is refused, and densities against SciPy's.

#![cfg(feature = "pictures")]

mod densities;
mod files;
mod plots;
mod posterior;
mod ranks;
