//! All figures of each quantity, as the table of a run has them.

use rayon::prelude::*;

use super::autocovariance::Correlator;
use super::chains::{Chains, DiagnosticsError};
use super::ess::{bulk, tail};
use super::hdi::hdi;
use super::mcse::{of_mean, of_sd};
use super::moments::{mean, sd};
use super::rhat::rhat;

/// The figures of one scalar quantity; each is as the function of that name says.
#[derive(Clone, Debug, PartialEq)]
pub struct SummaryRow {
    /// The quantity's name, such as `theta[3]`.
    pub name: String,
    /// The mean of all draws.
    pub mean: f64,
    /// Their standard deviation.
    pub sd: f64,
    /// The ends of the highest density interval.
    pub hdi: [f64; 2],
    /// The Monte Carlo error of the mean.
    pub mcse_mean: f64,
    /// The Monte Carlo error of the standard deviation.
    pub mcse_sd: f64,
    /// The effective sample size in the bulk.
    pub ess_bulk: f64,
    /// The effective sample size in the tails.
    pub ess_tail: f64,
    /// The rank-normalised split R-hat; NaN of a single chain.
    pub r_hat: f64,
}

impl SummaryRow {
    fn of(name: &str, chains: &Chains<'_>, hdi_prob: f64, correlator: &mut Correlator) -> Self {
        let mut of_halves = |figure: fn(&_, &mut Correlator) -> f64| {
            chains.splittable().map_or(f64::NAN, |draws| figure(&draws, correlator))
        };
        SummaryRow {
            name: name.to_owned(),
            mean: mean(chains),
            sd: sd(chains),
            hdi: hdi(chains, hdi_prob),
            mcse_mean: of_halves(of_mean),
            mcse_sd: of_halves(of_sd),
            ess_bulk: of_halves(bulk),
            ess_tail: of_halves(tail),
            r_hat: rhat(chains),
        }
    }
}

/// The figures of all quantities of a run. Printed, it is the table that users of ArviZ and NumPyro know;
/// [`warnings`](Summary::warnings) says what is wrong with it.
///
/// ```
/// use ppl_infer::diagnostics::{Chains, Summary};
///
/// let draws = [[0.3, -1.2, 0.8, 0.1, -0.4, 1.1], [-0.7, 0.2, 1.4, -0.9, 0.5, -0.1]];
/// let mu = Chains::new(&[&draws[0], &draws[1]])?;
/// let summary = Summary::new(&[("mu", mu)])?;
/// assert_eq!(summary.rows[0].name, "mu");
/// assert!(summary.to_string().trim_start().starts_with("mean"));
/// # Ok::<(), ppl_infer::diagnostics::DiagnosticsError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// One row a quantity, in the order given.
    pub rows: Vec<SummaryRow>,
    /// The probability of the highest density intervals.
    pub hdi_prob: f64,
    /// The number of chains.
    pub num_chains: usize,
    /// The number of draws of each chain.
    pub num_draws: usize,
}

impl Summary {
    /// The figures of named quantities, with intervals of probability 0.94 as in ArviZ.
    ///
    /// # Errors
    /// If two quantities differ in the number of chains or of draws.
    pub fn new<S: AsRef<str> + Sync>(quantities: &[(S, Chains<'_>)]) -> Result<Self, DiagnosticsError> {
        Self::with_hdi_prob(quantities, 0.94)
    }

    /// The figures of named quantities, with intervals of probability `hdi_prob`.
    ///
    /// # Errors
    /// If two quantities differ in the number of chains or of draws, or the probability is not in (0, 1].
    pub fn with_hdi_prob<S: AsRef<str> + Sync>(
        quantities: &[(S, Chains<'_>)],
        hdi_prob: f64,
    ) -> Result<Self, DiagnosticsError> {
        if !(hdi_prob > 0.0 && hdi_prob <= 1.0) {
            return Err(DiagnosticsError::Probability(hdi_prob));
        }
        let [num_chains, num_draws] = one_run(quantities)?;
        let rows = quantities
            .par_iter()
            .map_init(Correlator::default, |correlator, (name, chains)| {
                SummaryRow::of(name.as_ref(), chains, hdi_prob, correlator)
            })
            .collect();
        Ok(Summary { rows, hdi_prob, num_chains, num_draws })
    }
}

/// The number of chains and of draws that all quantities have; zeros of no quantity.
fn one_run<S: AsRef<str>>(quantities: &[(S, Chains<'_>)]) -> Result<[usize; 2], DiagnosticsError> {
    let size = |chains: &Chains<'_>| [chains.num_chains(), chains.num_draws()];
    let Some((first, chains)) = quantities.first() else { return Ok([0; 2]) };
    let expected = size(chains);
    match quantities.iter().find(|(_, chains)| size(chains) != expected) {
        None => Ok(expected),
        Some((name, chains)) => Err(DiagnosticsError::Run {
            name: name.as_ref().to_owned(),
            first: first.as_ref().to_owned(),
            found: size(chains),
            expected,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_of_two_runs_are_refused() {
        let [long, short] = [[1.0, 2.0, 3.0, 4.0], [0.0; 4]];
        let [a, b] = [Chains::new(&[&long]).unwrap(), Chains::new(&[&short, &short]).unwrap()];
        let error = Summary::new(&[("a", a.clone()), ("b", b)]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "quantity `b` has 2 chains of 4 draws, but `a` has 1 of 4; a summary is of one run"
        );
        let bad = Summary::with_hdi_prob(&[("a", a)], 1.5).unwrap_err();
        assert_eq!(bad, DiagnosticsError::Probability(1.5));
        assert!(Summary::new::<&str>(&[]).unwrap().rows.is_empty());
    }
}
