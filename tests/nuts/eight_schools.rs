//! Rubin's eight schools, uncentred, against NumPyro's posterior of 40,000 draws.

use ppl::infer::diagnostics::{Chains, Summary};
use ppl::infer::mcmc::{Kernel, Metric, Nuts, NutsOptions, Warmup, WarmupOptions};
use ppl::infer::{LogDensity, ModelDensity};
use ppl::prelude64::*;
use ppl::rng::Rng;

type Scalar = Tensor<()>;
type Schools = Tensor<Rank1<8>>;

const EFFECTS: [f64; 8] = [28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0];
const ERRORS: [f64; 8] = [15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0];

/// Effects and their standard errors.
pub(crate) fn data() -> (Schools, Schools) {
    (Tensor::from(EFFECTS), Tensor::from(ERRORS))
}

#[model]
pub(crate) fn schools(effects: &Schools, errors: &Schools) {
    let mu: Scalar = sample!("mu", Normal::new(0.0, 5.0));
    let tau: Scalar = sample!("tau", HalfCauchy::new(5.0));
    plate!("schools", 8, |_| {
        let eta: Schools = sample!("eta", Normal::standard());
        sample!("effect", Normal::new(&mu + &tau * eta, errors), obs = effects);
    });
}

/// Mean and standard deviation of μ, τ and η₁ in NumPyro (4 chains of 10,000 draws, R-hat at most 1.00013).
pub(crate) const REFERENCE: [(&str, f64, f64); 3] =
    [("mu", 4.4140408, 3.342702), ("tau", 3.5972398, 3.2362938), ("eta[0]", 0.31378304, 0.98336602)];

#[test]
fn the_posterior_is_numpyros() {
    let (effects, errors) = data();
    // By chain, then by quantity.
    let mut draws = vec![vec![Vec::new(); 3]; 4];
    for (chain, draws) in draws.iter_mut().enumerate() {
        let mut density = ModelDensity::new(schools, (&effects, &errors)).unwrap();
        let stream = |step: u64| Rng::named(chain as u64, &format!("step {step}"));
        let mut nuts = Nuts::new(1.0, Metric::Identity(density.dim()), NutsOptions::default());
        let start = vec![0.1 * chain as f64; density.dim()];
        let mut state = nuts.init(&mut density, &start).unwrap();
        let mut warmup =
            Warmup::begin(&WarmupOptions::default(), &mut nuts, &mut density, &state, &mut stream(0)).unwrap();
        for step in 1..=3000 {
            warmup.step(&mut nuts, &mut density, &mut state, &mut stream(step)).unwrap();
            if step > 1000 {
                draws[0].push(state.position[0]);
                draws[1].push(state.position[1].exp());
                draws[2].push(state.position[2]);
            }
        }
    }
    let chains: Vec<Vec<&[f64]>> = (0..3).map(|k| draws.iter().map(|chain| chain[k].as_slice()).collect()).collect();
    let quantities: Vec<_> =
        REFERENCE.iter().zip(&chains).map(|((name, ..), of)| (*name, Chains::new(of).unwrap())).collect();
    let summary = Summary::new(&quantities).unwrap();
    println!("{summary}");
    for (row, (name, mean, sd)) in summary.rows.iter().zip(REFERENCE) {
        assert!(row.r_hat < 1.01, "{name}: {row:?}");
        // With at least 2,000 effective draws, 0.1 sd are more than four standard errors: two-sided 1e-5 each.
        assert!(row.ess_bulk > 2000.0, "{name}: {row:?}");
        assert!((row.mean - mean).abs() < 0.1 * sd && (row.sd / sd - 1.0).abs() < 0.1, "{name}: {row:?}");
    }
}
