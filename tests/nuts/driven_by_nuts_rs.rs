//! Another sampler on our densities: nuts-rs on the eight schools.

use std::collections::HashMap;

use nuts_rs::rand::{Rng, SeedableRng, rngs::StdRng};
use nuts_rs::{Chain, CpuLogpFunc, CpuMath, CpuMathError, DiagNutsSettings, HasDims, LogpError, Settings};
use ppl::Error;
use ppl::infer::diagnostics::{Chains, Summary};
use ppl::infer::{LogDensity, ModelDensity};

use crate::models::eight_schools::{EFFECTS, ERRORS, Schools, eight_schools};

/// Mean and standard deviation of μ, τ and η₁ in NumPyro (4 chains of 10,000 draws, R-hat at most 1.00013).
const REFERENCE: [(&str, f64, f64); 3] =
    [("mu", 4.4140408, 3.342702), ("tau", 3.5972398, 3.2362938), ("eta[0]", 0.31378304, 0.98336602)];

/// A density as nuts-rs asks for it.
struct Driven<P>(P);

/// What nuts-rs is told of a position: an error that ends the chain, or a log-density that is not finite.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    Model(Error),
    #[error("the log-density is not finite")]
    NotFinite,
}

impl LogpError for Refused {
    fn is_recoverable(&self) -> bool {
        matches!(self, Refused::NotFinite)
    }
}

impl<P: LogDensity<f64, Error = Error>> HasDims for Driven<P> {
    fn dim_sizes(&self) -> HashMap<String, u64> {
        HashMap::from([("unconstrained_parameter".to_owned(), self.0.dim() as u64)])
    }
}

impl<P: LogDensity<f64, Error = Error>> CpuLogpFunc for Driven<P> {
    type LogpError = Refused;
    type FlowParameters = ();
    type ExpandedVector = Vec<f64>;

    fn dim(&self) -> usize {
        self.0.dim()
    }

    fn logp(&mut self, position: &[f64], gradient: &mut [f64]) -> Result<f64, Refused> {
        let log_density = self.0.evaluate(position, gradient).map_err(Refused::Model)?;
        if log_density.is_finite() { Ok(log_density) } else { Err(Refused::NotFinite) }
    }

    fn expand_vector<R: Rng + ?Sized>(&mut self, _: &mut R, position: &[f64]) -> Result<Vec<f64>, CpuMathError> {
        Ok(position.to_vec())
    }
}

#[test]
fn the_posterior_is_the_same() {
    let (effects, errors) = (Schools::from(EFFECTS), Schools::from(ERRORS));
    // By chain, then by quantity.
    let mut draws = vec![vec![Vec::new(); 3]; 4];
    for (number, draws) in draws.iter_mut().enumerate() {
        let density = ModelDensity::new(eight_schools, (&effects, &errors)).unwrap();
        let dim = density.dim();
        let settings = DiagNutsSettings { num_tune: 500, ..DiagNutsSettings::default() };
        let mut rng = StdRng::seed_from_u64(number as u64);
        let mut chain = settings.new_chain(number as u64, CpuMath::new(Driven(density)), &mut rng).unwrap();
        chain.set_position(&vec![0.1 * number as f64; dim]).unwrap();
        for step in 0..2500 {
            let (position, _) = chain.draw().unwrap();
            if step >= 500 {
                draws[0].push(position[0]);
                draws[1].push(position[1].exp());
                draws[2].push(position[2]);
            }
        }
    }
    let chains: Vec<Vec<&[f64]>> = (0..3).map(|k| draws.iter().map(|chain| chain[k].as_slice()).collect()).collect();
    let quantities: Vec<_> =
        REFERENCE.iter().zip(&chains).map(|((name, ..), of)| (*name, Chains::new(of).unwrap())).collect();
    let summary = Summary::new(&quantities).unwrap();
    for (row, (name, mean, sd)) in summary.rows.iter().zip(REFERENCE) {
        // With at least 2,000 effective draws, 0.1 sd are more than four standard errors: two-sided 1e-5 each.
        assert!(row.r_hat < 1.01 && row.ess_bulk > 2000.0, "{name}: {row:?}");
        assert!((row.mean - mean).abs() < 0.1 * sd && (row.sd / sd - 1.0).abs() < 0.1, "{name}: {row:?}");
    }
}
