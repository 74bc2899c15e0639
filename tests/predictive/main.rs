//! Predictions under priors, draws and guides, and log-likelihoods of draws, against closed forms and ArviZ.

// Draws made by hand.
mod by_hand;
// Moments and distributions in closed form.
mod closed_forms;
// A stream for each draw.
mod streams;
// Typed values, one dtype and kind after another.
mod values;
// The same model with other arguments, and interventions.
mod new_data;
// From chains of NUTS to predictions and LOO.
mod chains;
// Latent values from a guide.
mod guides;
// Latent values from somewhere else, and parameters.
mod sources;
// Log-likelihoods, WAIC and LOO.
mod likelihoods;
// What is refused, and in which words.
mod refusals;
