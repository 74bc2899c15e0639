//! Means over a chain, with their Monte Carlo errors by batch means, and what they are compared to.

/// How many batches the errors are estimated from.
const BATCHES: usize = 40;

/// The mean of a chain's values, and its standard error from the means of 40 batches, each far longer than the chain
/// remembers.
pub(crate) fn mean(values: &[f64]) -> (f64, f64) {
    let size = values.len() / BATCHES;
    assert!(size > 0, "too few values");
    let means: Vec<f64> =
        values.chunks_exact(size).take(BATCHES).map(|b| b.iter().sum::<f64>() / size as f64).collect();
    let mean = means.iter().sum::<f64>() / BATCHES as f64;
    let variance = means.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / (BATCHES - 1) as f64;
    (mean, (variance / BATCHES as f64).sqrt())
}

/// The mean of the values is `expected`, within 6.5 standard errors (with probability 1e-7 not, by chance: Student's t
/// with 39 degrees), and the standard error is at most `error`, so that a chain that does not move is found as well.
#[track_caller]
pub(crate) fn agrees(what: &str, values: &[f64], expected: f64, error: f64) {
    let (mean, found) = mean(values);
    assert!(found <= error, "{what}: the standard error is {found}, more than {error}");
    assert!(
        (mean - expected).abs() <= 6.5 * found,
        "{what}: {mean} ± {found}, {:.1} standard errors from {expected}",
        (mean - expected).abs() / found
    );
}

#[test]
fn errors_of_independent_values_are_the_known_ones() {
    use ppl_core::rng::Rng;
    use rand::Rng as _;
    let mut rng = Rng::seed(5);
    let values: Vec<f64> = (0..40_000).map(|_| rng.gen_range(0.0..1.0)).collect();
    let (mean, error) = mean(&values);
    let known = (1.0 / 12.0 / 40_000.0_f64).sqrt();
    // A ratio of 39 degrees of freedom: beyond 0.5 and 1.7 with probability 1e-5 together.
    assert!((0.5..1.7).contains(&(error / known)), "{error}, not {known}");
    assert!((mean - 0.5).abs() < 5.5 * known);
}
