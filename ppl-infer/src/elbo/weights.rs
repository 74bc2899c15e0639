//! Weights of several runs out of the logarithms of their importance weights, without overflow.

/// ln of the mean of the exponentials.
pub(super) fn ln_mean_exp(logs: &[f64]) -> f64 {
    let greatest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !greatest.is_finite() {
        return greatest;
    }
    greatest + (logs.iter().map(|log| (log - greatest).exp()).sum::<f64>() / logs.len() as f64).ln()
}

/// The exponentials, divided by their sum.
pub(super) fn normalized(logs: &[f64]) -> Vec<f64> {
    let ln_sum = ln_mean_exp(logs) + (logs.len() as f64).ln();
    logs.iter().map(|log| (log - ln_sum).exp()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_logarithms_do_not_overflow() {
        assert!((ln_mean_exp(&[1000.0, 1000.0 + 3.0_f64.ln()]) - (1000.0 + 2.0_f64.ln())).abs() < 1e-12);
        let weights = normalized(&[-2000.0, -2000.0 + 3.0_f64.ln()]);
        assert!((weights[0] - 0.25).abs() < 1e-12 && (weights[1] - 0.75).abs() < 1e-12);
    }
}
