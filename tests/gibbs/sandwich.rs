//! Two coins with a normal variable between them: the joint posterior is a sum over four cases of integrals over a line.

use ppl::Error;
use ppl::infer::gibbs::{BlockKernel, Conditional, DiscreteMetropolis, Enumerate, Rule, Tuned};
use ppl::infer::mcmc::{HmcOptions, Length, MetricShape, MetropolisOptions, NutsOptions};
use ppl::infer::{Draws, Gibbs, McmcOptions};
use ppl::prelude64::*;
use ppl::rng::Rng;
use rand::Rng as _;

use crate::estimates::{close, integral, normal};

type Scalar = Tensor<()>;

const Y: f64 = 1.7;

/// x is log-normal, so that a Jacobian that is left out shows.
#[model]
fn sandwich() {
    let a: Scalar = sample!("a", Bernoulli::new(0.3));
    let x: Scalar = sample!("x", LogNormal::new(&a * 1.2 - 0.4, 0.7));
    let b: Scalar = sample!("b", Bernoulli::new((&x - 1.0).sigmoid()));
    deterministic!("sum": Scalar, &x + &b);
    sample!("y", Normal::new(x + b, 0.8), obs = Scalar::scalar(Y));
}

/// The joint density at a, b and u = ln x.
fn joint(a: f64, b: f64, u: f64) -> f64 {
    let x = u.exp();
    let p = 1.0 / (1.0 + (1.0 - x).exp());
    let coins = (if a == 1.0 { 0.3 } else { 0.7 }) * (if b == 1.0 { p } else { 1.0 - p });
    coins * normal(u, 1.2 * a - 0.4, 0.7) * normal(Y, x + b, 0.8)
}

/// The posterior mean of a function of a, x and b.
fn expected(of: impl Fn(f64, f64, f64) -> f64) -> f64 {
    let total = |of: &dyn Fn(f64, f64, f64) -> f64| -> f64 {
        let cases = [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)];
        cases.iter().map(|&(a, b)| integral(-8.0, 6.0, 4000, |u| of(a, u.exp(), b) * joint(a, b, u))).sum()
    };
    total(&of) / total(&|_, _, _| 1.0)
}

fn draws(gibbs: Gibbs<sandwich, (), f64, Cpu>, draws: usize) -> Draws {
    let options = McmcOptions { chains: 2, warmup: 300, draws, ..McmcOptions::default() };
    let mut mcmc = gibbs.chains(&options).unwrap();
    mcmc.run().unwrap();
    mcmc.into_draws()
}

fn check(discrete: impl Into<Rule> + Clone, continuous: impl Into<Rule>, number: usize) {
    let gibbs = Gibbs::new(sandwich, ()).unwrap().block(["a", "b"], discrete).block(["x"], continuous);
    let draws = draws(gibbs, number);
    assert_eq!(draws.variables().iter().map(|v| v.name.as_str()).collect::<Vec<_>>(), ["a", "x", "b", "sum"]);
    close(&draws, "P(a)", expected(|a, _, _| a), |row| row[0]);
    close(&draws, "P(b)", expected(|_, _, b| b), |row| row[2]);
    close(&draws, "P(a and b)", expected(|a, _, b| a * b), |row| row[0] * row[2]);
    close(&draws, "E x", expected(|_, x, _| x), |row| row[1]);
    close(&draws, "E x²", expected(|_, x, _| x * x), |row| row[1] * row[1]);
    close(&draws, "E x·b", expected(|_, x, b| x * b), |row| row[1] * row[2]);
    assert!(draws.values("sum").unwrap().iter().zip(draws.values("x").unwrap()).all(|(sum, x)| sum[0] - x[0] < 1.5));
}

#[test]
fn enumeration_with_nuts() {
    check(Enumerate::default(), NutsOptions::default(), 3000);
}

#[test]
fn one_coin_after_another_with_a_random_walk() {
    check(Enumerate { most_combinations: 1 }, MetropolisOptions, 12_000);
}

#[test]
fn proposals_from_the_prior_with_hamiltonian_monte_carlo() {
    let hmc = HmcOptions { length: Length::Steps(4), jitter: 0.3, ..HmcOptions::default() };
    check(DiscreteMetropolis::Prior, Tuned::new(hmc).target_accept(0.9).metric(MetricShape::Dense), 5000);
}

#[test]
fn proposals_of_the_other_value() {
    check(DiscreteMetropolis::Uniform, NutsOptions::default(), 4000);
}

/// Metropolis on ln x, by a user: the Jacobian is the kernel's own.
#[derive(Clone)]
struct Walk;

impl BlockKernel for Walk {
    fn step(&mut self, block: &mut dyn Conditional, rng: &mut Rng) -> Result<(), Error> {
        assert_eq!(block.sites(), ["x"]);
        let x = block.value("x")?[0];
        let proposal = x * rng.gen_range(-1.0_f64..1.0).exp();
        let change = block.log_density(&[("x", &[proposal])])? - block.log_density(&[])?;
        let ratio = change + (proposal / x).ln();
        if rng.gen_range(0.0..1.0) < ratio.exp() { block.set(&[("x", &[proposal])]) } else { Ok(()) }
    }
}

#[test]
fn a_kernel_of_the_users() {
    check(Enumerate::default(), Walk, 12_000);
}
