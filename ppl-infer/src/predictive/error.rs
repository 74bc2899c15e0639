//! What can go wrong in predictions, and in which draw.

use ppl_core::Error;
use thiserror::Error as ThisError;

use crate::diagnostics::DiagnosticsError;
use crate::draws::DrawsError;

use super::source::Place;

/// A prediction that cannot be made.
#[derive(Clone, Debug, ThisError, PartialEq)]
#[non_exhaustive]
pub enum PredictiveError {
    /// A run of the model, or what it has to do with the draws, is wrong.
    #[error("{place}: {error}")]
    Run {
        /// The draw that was run.
        place: Place,
        /// What is wrong.
        error: Error,
    },

    /// Nothing was drawn from which something could be predicted.
    #[error("there are no draws to predict from")]
    NoDraws,

    /// The model observes nothing.
    #[error("the model `{0}` observes no data with these arguments, so that there is no log-likelihood")]
    NoObservations(&'static str),

    /// The draws lack a variable.
    #[error(transparent)]
    Draws(#[from] DrawsError),

    /// The log-likelihoods cannot be judged.
    #[error(transparent)]
    Diagnostics(#[from] DiagnosticsError),
}
