//! What must be mended, each by the name of its site.

use ppl::infer::gibbs::{DiscreteMetropolis, Enumerate, GibbsError, Rule};
use ppl::infer::mcmc::{NutsOptions, Sampler};
use ppl::infer::{Gibbs, InitStrategy};
use ppl::prelude64::*;
use ppl::rng::Rng;

type Scalar = Tensor<()>;

#[model]
fn both() {
    let coin: Scalar = sample!("coin", Bernoulli::new(0.4));
    let count: Scalar = sample!("count", Poisson::new(3.0));
    for t in 0..2 {
        sample!("x_{t}": Scalar, Normal::new(&coin + &count, 1.0));
    }
    sample!("y", Normal::new(coin, 1.0), obs = Scalar::scalar(0.3));
}

/// What the sampler says of these blocks.
fn said(blocks: &[(&[&str], Rule)]) -> String {
    let mut gibbs = Gibbs::new(both, ()).unwrap();
    for (names, rule) in blocks {
        gibbs = gibbs.block(names.iter().copied(), rule.clone());
    }
    let sampler = gibbs.sampler(50, &InitStrategy::default(), &mut Rng::seed(0));
    sampler.err().expect("an error").to_string()
}

fn nuts() -> Rule {
    NutsOptions::default().into()
}

fn enumerate() -> Rule {
    Enumerate::default().into()
}

#[track_caller]
fn contains(text: &str, parts: &[&str]) {
    assert!(parts.iter().all(|part| text.contains(part)), "{text}");
}

#[test]
fn blocks_that_are_no_partition() {
    let prior = || Rule::from(DiscreteMetropolis::Prior);
    contains(&said(&[(&["coin"], enumerate()), (&["x_{}"], nuts())]), &["`count` (Poisson)", "in no block", "Prior"]);
    contains(&said(&[(&["count"], prior()), (&["x_{}"], nuts())]), &["`coin`", "in no block", "Enumerate"]);
    contains(&said(&[(&["coin"], enumerate()), (&["count"], prior())]), &["`x_0`", "in no block", "NutsOptions"]);
    contains(&said(&[(&["coin", "x_{}"], nuts())]), &["`coin`", "discrete", "Enumerate"]);
    contains(&said(&[(&["x_{}", "x_1"], nuts())]), &["`x_1`", "twice"]);
    contains(&said(&[(&["coin"], enumerate()), (&["coin"], enumerate())]), &["`coin`", "or in two"]);
    contains(&said(&[(&["y"], nuts())]), &["`y`", "no latent site", "`coin`, `count`, `x_0`, `x_1`"]);
    contains(&said(&[(&["z_{}"], nuts())]), &["`z_{}`", "no latent site"]);
    contains(&said(&[(&["x_0"], enumerate())]), &["`x_0`", "continuous", "NutsOptions"]);
    contains(&said(&[(&["count"], enumerate())]), &["`count`", "not finitely many", "DiscreteMetropolis::Prior"]);
    contains(&said(&[(&["count"], DiscreteMetropolis::Uniform.into())]), &["`count`", "DiscreteMetropolis::Prior"]);
}

#[test]
fn initial_values_of_no_site() {
    let gibbs =
        Gibbs::new(both, ()).unwrap().block(["coin"], Enumerate::default()).block(["x_{}"], NutsOptions::default());
    let gibbs = gibbs.block(["count"], DiscreteMetropolis::Prior);
    let mut values = ValueMap::new();
    values.put("mu", Some(Scalar::scalar(0.0)));
    let error = gibbs.sampler(50, &InitStrategy::Values(values), &mut Rng::seed(0)).err().unwrap().to_string();
    contains(&error, &["`mu`", "no such latent site"]);
}

#[model]
fn branching() {
    let coin: Scalar = sample!("coin", Bernoulli::new(0.4));
    if coin.item() == 1.0 {
        let _: Scalar = sample!("heads", Normal::standard());
    }
    sample!("x": Scalar, Normal::new(coin, 1.0));
}

#[test]
fn a_site_that_some_values_bring_about() {
    let build = || Gibbs::new(branching, ()).unwrap();
    let with = |gibbs: Gibbs<branching, (), f64, Cpu>| {
        let mut sampler = gibbs.sampler(10, &InitStrategy::Prior, &mut Rng::seed(0))?;
        (0..20).try_for_each(|step| sampler.step(&mut Rng::stream(0, step)).map(drop))
    };
    // Whether the first run has `heads` is chance: one of the two sets of blocks is right, and its steps are refused.
    let without = with(build().block(["coin"], Enumerate::default()).block(["x"], NutsOptions::default()));
    let heads = with(build().block(["coin"], Enumerate::default()).block(["heads", "x"], NutsOptions::default()));
    for error in [without.unwrap_err(), heads.unwrap_err()] {
        contains(&error.to_string(), &["`heads`"]);
    }
}

#[model]
fn half() {
    let coin: Scalar = sample!("coin", Bernoulli::new(0.4));
    let x: Scalar = sample!("x", Normal::standard());
    factor!("never", Scalar::scalar(if x.item() > 0.0 { f64::NEG_INFINITY } else { coin.item() }));
}

/// Moves where nothing can be.
#[derive(Clone)]
struct Astray;

impl ppl::infer::gibbs::BlockKernel for Astray {
    fn step(&mut self, block: &mut dyn ppl::infer::gibbs::Conditional, _: &mut Rng) -> Result<(), ppl::Error> {
        block.set(&[("x", &[1.0])])
    }
}

#[test]
fn a_kernel_that_goes_where_nothing_can_be() {
    let gibbs = Gibbs::new(half, ()).unwrap().block(["x"], Astray).block(["coin"], Enumerate::default());
    let mut sampler = gibbs.sampler(10, &InitStrategy::default(), &mut Rng::seed(0)).unwrap();
    let error = sampler.step(&mut Rng::seed(0)).unwrap_err();
    contains(&error.to_string(), &["`x`", "-inf"]);
}

#[model]
fn undefined() {
    let coin: Scalar = sample!("coin", Bernoulli::new(0.4));
    factor!("weight", Scalar::scalar(if coin.item() == 1.0 { f64::NAN } else { 0.0 }));
}

#[test]
fn a_density_that_is_no_number() {
    let gibbs = Gibbs::new(undefined, ()).unwrap().block(["coin"], Enumerate::default());
    let mut sampler = gibbs.sampler(10, &InitStrategy::default(), &mut Rng::seed(0)).unwrap();
    let error = sampler.step(&mut Rng::seed(0)).unwrap_err();
    assert!(matches!(&error, GibbsError::NotANumber { site, value, .. } if site == "coin" && value == "1"), "{error}");
}

#[model]
fn nowhere() {
    sample!("coin": Scalar, Bernoulli::new(0.4));
    factor!("never", Scalar::scalar(f64::NEG_INFINITY));
}

#[test]
fn a_model_without_a_beginning() {
    let gibbs = Gibbs::new(nowhere, ()).unwrap().block(["coin"], Enumerate::default());
    let error = gibbs.sampler(10, &InitStrategy::default(), &mut Rng::seed(0)).err().unwrap();
    contains(&error.to_string(), &["100 initial states", "`never`"]);
}

#[model]
fn subsampled() {
    plate!("rows", 6, subsample = 2, |rows| {
        let zeros = Tensor::<(usize,)>::full_like(0.0, (rows.len(),));
        sample!("z": Tensor<(usize,)>, Normal::new(zeros.clone(), zeros.exp()));
    });
}

#[test]
fn a_plate_that_draws_its_rows() {
    let error = Gibbs::new(subsampled, ()).err().unwrap().to_string();
    contains(&error, &["`rows`", "subsample"]);
}
