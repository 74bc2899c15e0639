//! Rubin's eight schools: the effects of coaching, and how much they differ. The model is written as one thinks of it;
//! its effects are reparameterised, so that chains move well. `cargo run --release --example eight_schools`
//!
//! Known: the posterior of Stan's and NumPyro's long runs, and the expected log predictive density of ArviZ's. The last
//! line on stdout is one JSON object.

#[path = "sampling/mod.rs"]
mod sampling;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use ppl::handlers::{LocScale, Reparam};
use ppl::infer::mcmc::NutsOptions;
use ppl::infer::predictive::log_likelihood;
use ppl::infer::{Mcmc, Predictive};
use ppl::prelude64::*;
use sampling::{Sampling, check_mean};
use serde_json::{Value, json};

type Scalar = Tensor<()>;
type Schools = Tensor<Rank1<8>>;

/// The estimated effects, and their standard errors. Rubin, *Estimation in Parallel Randomized Experiments* (1981).
const EFFECTS: [f64; 8] = [28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0];
const ERRORS: [f64; 8] = [15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0];

/// Mean and standard deviation in 40,000 draws of NumPyro, which agree with Stan's.
const MU: [f64; 2] = [4.414, 3.343];
const TAU: [f64; 2] = [3.597, 3.236];

/// The expected log pointwise predictive density that ArviZ finds in 40,000 draws of NumPyro.
const ELPD_LOO: f64 = -30.73;

#[model]
fn eight_schools(errors: &Schools, effects: &Schools) {
    let mu: Scalar = sample!("mu", Normal::new(0.0, 5.0));
    let tau: Scalar = sample!("tau", HalfCauchy::new(5.0));
    plate!("schools", 8, |_| {
        let theta: Schools = sample!("theta", Normal::new(mu.broadcast::<Rank1<8>, _>(), tau));
        sample!("y", Normal::new(theta, errors), obs = effects);
    });
}

/// Rubin's eight schools by NUTS.
#[derive(Clone, Debug, Parser)]
struct Options {
    #[command(flatten)]
    sampling: Sampling,
}

fn run(options: &Options) -> Result<Value, Box<dyn Error>> {
    let (effects, errors) = (Tensor::from(EFFECTS), Tensor::from(ERRORS));
    let data = (&errors, &effects);
    // Effects far from the mean have little probability where τ is small: chains move better among standardised ones.
    let model = eight_schools.reparam(Reparam::new().site("theta", LocScale::new(0.0)));
    let mut mcmc = Mcmc::new(model.clone(), data, NutsOptions::default(), options.sampling.options())?;
    mcmc.run()?;
    let draws = mcmc.into_draws();
    let figures = options.sampling.report(&draws, &["mu", "tau", "theta"])?;
    let (mu, tau) = (check_mean(&draws, "mu", MU)?, check_mean(&draws, "tau", TAU)?);

    let loo = log_likelihood(model.clone(), data, &draws)?.loo()?;
    if (loo.elpd_loo - ELPD_LOO).abs() > 0.2 {
        return Err(format!("the elpd is {:.2}, but ArviZ has {ELPD_LOO}", loo.elpd_loo).into());
    }

    // What the first school would see if it tried again.
    let predicted = Predictive::posterior(model, data, &draws).seed(options.sampling.seed).collect()?;
    let again = predicted.quantity("y[0]")?.concat();
    let above = again.iter().filter(|&&y| y >= EFFECTS[0]).count() as f64 / again.len() as f64;
    eprintln!("the first school would see {} or more again with probability {above:.2}", EFFECTS[0]);
    Ok(json!({
        "example": "eight_schools", "mu": mu, "tau": tau, "elpd_loo": loo.elpd_loo, "p_first_again": above,
        "r_hat_max": figures.r_hat_max, "ess_bulk_min": figures.ess_bulk_min, "divergences": figures.divergences,
        "seed": figures.seed,
    }))
}

fn main() -> ExitCode {
    ppl::memory::keep_freed_buffers();
    sampling::end("eight_schools", run(&Options::parse()))
}
