//! The Deep Markov Model's shape with linear maps and normal noise, where everything is known: the log-likelihood of
//! each sequence by a Kalman filter and by the joint distribution of all its data (`scripts/reference_deep_markov.py`).

// Small dense matrices.
mod matrix;
// The filter, and what a latent is given the one before and all data from there on.
mod kalman;
// Sequences as a padded batch.
mod batch;
// The model and its guides.
mod chain;
// Weights of the sequences of a batch.
mod weights;
// Gradients by the names of parameters.
mod gradients;

// The guide that is the posterior: weights without variance.
mod exact;
// Other guides: weights with the right mean.
mod importance;
// What stands after the end of a sequence does not count.
mod padding;
// Terms of the latents under a factor.
mod annealing;
// Densities of flows against dense Jacobians.
mod jacobian;
