//! A mixture of three normals by Gibbs sampling: each datum's component by exact enumeration, weights, means and scales by the
//! no-U-turn sampler. `cargo run --release --example gaussian_mixture`
//!
//! Known: the same posterior comes of the model whose components are summed out, by the no-U-turn sampler alone. The last line
//! on stdout is one JSON object.

#[path = "sampling/mod.rs"]
mod sampling;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use ppl::distribution::Expand as _;
use ppl::infer::diagnostics::{Chains, Summary};
use ppl::infer::gibbs::Enumerate;
use ppl::infer::mcmc::NutsOptions;
use ppl::infer::{Draws, Gibbs, Mcmc};
use ppl::prelude64::*;
use ppl::rng::Rng;
use rand::Rng as _;
use rand_distr::StandardNormal;
use sampling::Sampling;
use serde_json::{Value, json};

/// How many data, and the truth that they are simulated from.
const N: usize = 200;
const WEIGHTS: [f64; 3] = [0.25, 0.45, 0.3];
const MEANS: [f64; 3] = [-4.0, 0.5, 4.5];
const SCALES: [f64; 3] = [0.8, 0.6, 1.2];

type Components = Tensor<Rank1<3>>;
type Data = Tensor<Rank1<N>>;

#[model]
fn components() -> (Components, Components, Components) {
    let weights: Components = sample!("weights", Dirichlet::new(Tensor::from([2.0, 2.0, 2.0])));
    let (means, scales) = plate!("components", 3, |_| {
        let means: Components = sample!("means", Normal::new(Components::zeros(), 5.0));
        let scales: Components = sample!("scales", LogNormal::new(Components::zeros(), 0.7));
        (means, scales)
    });
    (weights, means, scales)
}

/// With a component for each datum.
#[model]
fn gaussian_mixture(data: &Data) {
    let (weights, means, scales) = submodel!("of", components());
    plate!("rows", N, |_| {
        let z: Tensor<Rank1<N>, usize> = sample!("z", Categorical::new(&weights).expand(Rank2::<N, 3>::default()));
        let z = z.to_vec();
        sample!("y", Normal::new(means.gather::<Rank1<N>>(&z), scales.gather::<Rank1<N>>(&z)), obs = data);
    });
}

/// With the components summed out.
#[model]
fn summed_out(data: &Data) {
    let (weights, means, scales) = submodel!("of", components());
    plate!("rows", N, |_| {
        let [weights, means, scales] = [weights, means, scales].map(|of| of.broadcast::<Rank2<N, 3>, _>());
        sample!("y", MixtureSameFamily::new(Categorical::new(weights), Normal::new(means, scales)), obs = data);
    });
}

/// A mixture of three normals by Gibbs sampling.
#[derive(Clone, Debug, Parser)]
struct Options {
    #[command(flatten)]
    sampling: Sampling,
}

fn simulated() -> Data {
    let mut rng = Rng::named(0, "data of gaussian_mixture");
    let mut datum = || {
        let u: f64 = rng.gen_range(0.0..1.0);
        let k = usize::from(u > WEIGHTS[0]) + usize::from(u > WEIGHTS[0] + WEIGHTS[1]);
        MEANS[k] + SCALES[k] * rng.sample::<f64, _>(StandardNormal)
    };
    Tensor::from_vec((0..N).map(|_| datum()).collect(), Default::default())
}

/// Weights, means and scales in the order of the means: components have no order of their own, and chains may differ in it.
fn in_order(draws: &Draws) -> Result<Summary, Box<dyn Error>> {
    let variables = ["of/weights", "of/means", "of/scales"];
    let starts = variables.map(|name| draws.variable(name).map(|variable| variable.range.start));
    let [weights, means, scales] = starts;
    let (weights, means, scales) = (weights?, means?, scales?);
    // By number, then by chain.
    let mut sorted = vec![vec![Vec::new(); draws.num_chains()]; 9];
    for (number, chain) in draws.chains().iter().enumerate() {
        for row in chain.rows() {
            let mut order = [0, 1, 2];
            order.sort_by(|&a, &b| row[means + a].total_cmp(&row[means + b]));
            for (place, start) in [weights, means, scales].into_iter().enumerate() {
                (0..3).for_each(|k| sorted[3 * place + k][number].push(row[start + order[k]]));
            }
        }
    }
    let names = ["weight", "mean", "scale"].into_iter().flat_map(|of| (0..3).map(move |k| format!("{of}[{k}]")));
    let chains = sorted.iter().map(|of| Chains::new(&of.iter().map(Vec::as_slice).collect::<Vec<_>>()));
    Ok(Summary::new(&names.zip(chains.collect::<Result<Vec<_>, _>>()?).collect::<Vec<_>>())?)
}

fn run(options: &Options) -> Result<Value, Box<dyn Error>> {
    let data = simulated();
    let gibbs = Gibbs::new(gaussian_mixture, &data)?
        .block(["z"], Enumerate::default())
        .block(["of/weights", "of/means", "of/scales"], NutsOptions::default());
    let mut by_gibbs = gibbs.chains(&options.sampling.options())?;
    by_gibbs.run()?;
    let draws = by_gibbs.into_draws();
    options.sampling.write(&draws, &["of/weights", "of/means", "of/scales"])?;
    let found = in_order(&draws)?;
    eprintln!("by Gibbs sampling, in the order of the means\n{found}");

    let mut alone = Mcmc::new(summed_out, &data, NutsOptions::default(), options.sampling.options())?;
    alone.run()?;
    let known = in_order(&alone.into_draws())?;
    eprintln!("with the components summed out\n{known}");

    for (found, known) in found.rows.iter().zip(&known.rows) {
        // A tenth of a deviation and five errors of the difference: by chance in fewer than one of 10⁵ runs.
        let error = found.mcse_mean.hypot(known.mcse_mean);
        if (found.mean - known.mean).abs() > 0.1 * known.sd + 5.0 * error || (found.sd / known.sd - 1.0).abs() > 0.25 {
            let ([a, b], [c, d]) = ([found.mean, found.sd], [known.mean, known.sd]);
            return Err(
                format!("{} is {a:.3} ± {b:.3} by Gibbs sampling, but {c:.3} ± {d:.3} summed out", found.name).into()
            );
        }
    }
    let of = |at: usize| found.rows[at..at + 3].iter().map(|row| row.mean).collect::<Vec<_>>();
    Ok(json!({
        "example": "gaussian_mixture", "weights": of(0), "means": of(3), "scales": of(6),
        "r_hat_max": found.rows.iter().map(|row| row.r_hat).fold(0.0, f64::max),
        "ess_bulk_min": found.rows.iter().map(|row| row.ess_bulk).fold(f64::INFINITY, f64::min),
        "seed": options.sampling.seed,
    }))
}

fn main() -> ExitCode {
    ppl::memory::keep_freed_buffers();
    sampling::end("gaussian_mixture", run(&Options::parse()))
}
