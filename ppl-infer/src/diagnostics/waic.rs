//! The widely applicable information criterion.

use std::fmt;

use super::log_likelihood::{LogLikelihood, log_sum_exp, sum_with_error};
use super::moments::sum_of_squares;

/// The variance of an observation's log-likelihood above which WAIC is not to be trusted.
const HIGH_VARIANCE: f64 = 0.4;

/// WAIC on the scale of log-densities: higher is better. `-2 * elpd_waic` is on the scale of deviances.
#[derive(Clone, Debug, PartialEq)]
pub struct Waic {
    /// The expected log predictive density of new data like these.
    pub elpd_waic: f64,
    /// Its standard error.
    pub se: f64,
    /// The effective number of parameters.
    pub p_waic: f64,
    /// What each observation adds to `elpd_waic`.
    pub waic_i: Vec<f64>,
    /// What each observation adds to `p_waic`: the variance of its log-likelihood.
    pub p_waic_i: Vec<f64>,
    /// The number of draws.
    pub n_samples: usize,
}

impl Waic {
    /// How many observations have a variance above 0.4 (or none that is a number): with one of them, WAIC
    /// is not to be trusted; use [`loo`](super::loo()).
    pub fn high_variance(&self) -> usize {
        self.p_waic_i.iter().filter(|p| p.is_nan() || **p > HIGH_VARIANCE).count()
    }
}

impl fmt::Display for Waic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let observations = self.waic_i.len();
        writeln!(f, "WAIC from {} draws and {observations} observations", self.n_samples)?;
        writeln!(f, "{:<9} {:>9} {:>8}", "", "Estimate", "SE")?;
        writeln!(f, "{:<9} {:>9.2} {:>8.2}", "elpd_waic", self.elpd_waic, self.se)?;
        write!(f, "{:<9} {:>9.2} {:>8}", "p_waic", self.p_waic, "-")?;
        match self.high_variance() {
            0 => Ok(()),
            high => write!(f, "\n{high} of {observations} variances are above {HIGH_VARIANCE}: use PSIS-LOO"),
        }
    }
}

/// WAIC: for each observation the logarithm of its mean likelihood, less the variance of its
/// log-likelihood. The variance has n in its denominator, as in ArviZ. An observation with a
/// log-likelihood that is not finite is NaN.
///
/// References: Watanabe, *Asymptotic equivalence of Bayes cross validation and widely applicable
/// information criterion*, JMLR 11, 2010; Vehtari, Gelman, Gabry, *Practical Bayesian model evaluation
/// using leave-one-out cross-validation and WAIC*, Statistics and Computing 27, 2017.
pub fn waic(log_likelihood: &LogLikelihood<'_>) -> Waic {
    let samples = log_likelihood.num_samples() as f64;
    let terms = (0..log_likelihood.num_observations()).map(|i| {
        let values = log_likelihood.observation(i);
        if !values.iter().all(|v| v.is_finite()) {
            return (f64::NAN, f64::NAN);
        }
        let variance = sum_of_squares(&values) / samples;
        (log_sum_exp(&values) - samples.ln() - variance, variance)
    });
    let (waic_i, p_waic_i): (Vec<f64>, Vec<f64>) = terms.unzip();
    let (elpd_waic, se) = sum_with_error(&waic_i);
    let p_waic = p_waic_i.iter().sum();
    Waic { elpd_waic, se, p_waic, waic_i, p_waic_i, n_samples: log_likelihood.num_samples() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_observation_without_a_number_is_counted() {
        let values = [-1.0, f64::NEG_INFINITY, -1.1, -2.0];
        let found = waic(&LogLikelihood::new(&values, 1, 2, 2).unwrap());
        assert!(found.waic_i[0].is_finite() && found.waic_i[1].is_nan() && found.elpd_waic.is_nan());
        assert_eq!(found.high_variance(), 1);
        assert!(found.to_string().ends_with("1 of 2 variances are above 0.4: use PSIS-LOO"), "{found}");
    }
}
