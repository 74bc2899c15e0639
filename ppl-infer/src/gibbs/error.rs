//! What keeps a Gibbs sampler from beginning, or ends it.

use ppl_core::Error;
use thiserror::Error as ThisError;

use crate::mcmc::WarmupError;

/// What the caller must mend.
#[derive(Clone, Debug, ThisError, PartialEq)]
#[non_exhaustive]
pub enum GibbsError {
    /// A run of the model failed, or a kernel of the user's.
    #[error(transparent)]
    Model(#[from] Error),
    /// A block names what is no latent site.
    #[error("a block names `{name}`, but no latent site is called so; there are {known}")]
    NoSite {
        /// The name or pattern.
        name: String,
        /// The latent sites.
        known: String,
    },
    /// Two blocks have a site, or one has it twice.
    #[error("site `{site}` is in a block twice, or in two; every latent site must be in exactly one")]
    Twice {
        /// The site.
        site: String,
    },
    /// No block has a site.
    #[error("site `{site}` ({distribution}) is in no block; add `.block([\"{site}\"], {kernel})`")]
    LeftOut {
        /// The site.
        site: String,
        /// Its distribution.
        distribution: &'static str,
        /// A kernel that can move it.
        kernel: &'static str,
    },
    /// A site is in a block whose kernel cannot move it.
    #[error("site `{site}` ({distribution}) {problem}")]
    Unsuitable {
        /// The site.
        site: String,
        /// Its distribution.
        distribution: &'static str,
        /// Why, and what to do.
        problem: &'static str,
    },
    /// No initial values have a finite log-density and gradient.
    #[error(
        "none of {attempts} initial states has a finite log-density and gradient; give initial values, or mend the \
         model; the last one: {problem}"
    )]
    NoStart {
        /// How many were tried.
        attempts: usize,
        /// What was wrong with the last one.
        problem: String,
    },
    /// A kernel could not be tuned.
    #[error("the kernel of {sites}: {source}")]
    Warmup {
        /// The block's sites.
        sites: String,
        /// What went wrong.
        source: WarmupError<Error>,
    },
    /// No value of a discrete site is possible.
    #[error("site `{site}`{}: each of its values has probability 0, given all others", at_element(*.element))]
    Impossible {
        /// The site.
        site: String,
        /// The element, in row-major order, where there are several.
        element: Option<usize>,
    },
    /// A log-density is NaN or +∞ at a value that was tried.
    #[error("site `{site}`: where it is {value}, the model's log-density is {log_density}")]
    NotANumber {
        /// The site.
        site: String,
        /// The value.
        value: String,
        /// The log-density.
        log_density: f64,
    },
}

fn at_element(element: Option<usize>) -> String {
    element.map_or_else(String::new, |element| format!(", element {element}"))
}
