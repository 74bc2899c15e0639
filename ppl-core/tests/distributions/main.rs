//! The distributions over numbers and categories: one table of families and, for each of them, the
//! same checks against scipy, quadrature, finite differences and their own draws, in both dtypes.

/// A test of each dtype from a check that is generic over dtype and device.
macro_rules! both_dtypes {
    ($($name:ident = $check:ident;)+) => {$(
        mod $name {
            #[test]
            fn f32() {
                super::$check::<f32, ppl_core::Cpu>();
            }
            #[test]
            fn f64() {
                super::$check::<f64, ppl_core::Cpu>();
            }
        }
    )+};
}

// Against which gradients are tested.
#[path = "../tensors/finite_differences.rs"]
mod finite_differences;
// The table.
mod families;
// Values of scipy and mpmath.
mod reference;
// Logarithms of probabilities, far into the tails.
mod log_tails;
// Integrals of densities.
mod quadrature;
// Densities integrate to one, masses sum to one, and quantiles invert the cdf.
mod density;
// Gradients are finite differences.
mod gradients;
// Draws follow the cdf.
mod sampling;
// Pathwise gradients are those of the expectation.
mod pathwise;
// Masks and events.
mod wrappers;
// Parameters, values and shapes that do not fit.
mod domains;
// Hostile parameters and values.
mod hostile;
// The same for distributions over vectors and matrices.
mod multivariate;
// The checks themselves.
mod self_check;
// Made of others: folded, censored, transformed; walks, stored samples.
mod derived;
// Larger batches.
mod expansion;
// Mixtures, and hidden Markov models.
mod discrete_hmm;
mod gaussian_hmm;
mod mixtures;
// Kullback–Leibler divergences.
mod divergences;
// The list in the documentation.
mod catalogue;
