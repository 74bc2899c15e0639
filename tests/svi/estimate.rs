//! Means with standard errors, and when one agrees with an exact number.

/// The mean of independent (or uncorrelated) numbers and its standard error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Estimate {
    /// The mean.
    pub(crate) mean: f64,
    /// The standard deviation of a single number.
    pub(crate) sd: f64,
    /// The standard error of the mean.
    pub(crate) se: f64,
}

impl Estimate {
    /// From the numbers.
    pub(crate) fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let sd = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
        Estimate { mean, sd, se: sd / n.sqrt() }
    }

    /// Asserts that the mean is within six standard errors (and `slack`, for a known bias) of the
    /// exact value, and that the error is small enough for that to mean something. From 40 numbers
    /// or more a false alarm has a probability below 6e-7 (Student's t with 39 degrees of freedom).
    #[track_caller]
    pub(crate) fn agrees(&self, what: &str, exact: f64, slack: f64, largest_error: f64) {
        assert!(self.se < largest_error, "{what}: a standard error of {} tells nothing", self.se);
        let distance = (self.mean - exact).abs();
        assert!(distance < 6.0 * self.se + slack, "{what}: {} ± {} for {exact}", self.mean, self.se);
    }
}
