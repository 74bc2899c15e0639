//! A mixture of two normals with five data: all 32 assignments are weighed in closed form, so that posterior draws can be had
//! without a chain, and a step from one of them must lead to another.

use ppl::distribution::Expand as _;
use ppl::infer::gibbs::Enumerate;
use ppl::infer::mcmc::{NutsOptions, Sampler};
use ppl::infer::{Gibbs, InitStrategy, McmcOptions};
use ppl::prelude64::*;
use ppl::rng::Rng;
use rand::Rng as _;
use rand_distr::StandardNormal;

use crate::estimates::close;

pub(crate) const DATA: [f64; 5] = [-1.6, -0.7, 0.4, 1.3, 2.1];
pub(crate) const WEIGHTS: [f64; 2] = [0.4, 0.6];
/// Prior standard deviation of the means.
pub(crate) const SPREAD: f64 = 2.0;

#[model]
fn mixture() {
    let means: Tensor<Rank1<2>> =
        plate!("components", 2, |_| sample!("means", Normal::new(Tensor::<Rank1<2>>::zeros(), SPREAD)));
    plate!("rows", 5, |_| {
        let weights = Categorical::new(Tensor::from(WEIGHTS)).expand(Rank2::<5, 2>::default());
        let z: Tensor<Rank1<5>, usize> = sample!("z", weights);
        sample!("y", Normal::new(means.gather::<Rank1<5>>(&z.to_vec()), 1.0), obs = Tensor::from(DATA));
    });
}

/// Posterior mean and variance of a component's mean with these data, and the log of their marginal likelihood but for what all
/// assignments share.
pub(crate) fn component(of: usize, assignment: u32) -> (f64, f64, f64) {
    let own = || (0..5).filter(|i| (assignment >> i & 1) as usize == of).map(|i| DATA[i]);
    let (count, sum) = (own().count() as f64, own().sum::<f64>());
    let precision = SPREAD.powi(-2) + count;
    let log_marginal = count * WEIGHTS[of].ln() - 0.5 * precision.ln() + 0.5 * sum * sum / precision;
    (sum / precision, 1.0 / precision, log_marginal)
}

/// The posterior probability of each assignment.
fn assignments() -> Vec<f64> {
    let weight = |assignment| (component(0, assignment).2 + component(1, assignment).2).exp();
    let total: f64 = (0..32).map(weight).sum();
    (0..32).map(|assignment| weight(assignment) / total).collect()
}

pub(crate) fn expected(of: impl Fn(u32) -> f64) -> f64 {
    (0..32).zip(assignments()).map(|(assignment, probability)| probability * of(assignment)).sum()
}

fn gibbs() -> Gibbs<mixture, (), f64, Cpu> {
    Gibbs::new(mixture, ()).unwrap().block(["means"], NutsOptions::default()).block(["z"], Enumerate::default())
}

#[test]
fn assignments_and_means_are_those_of_all_cases() {
    let options = McmcOptions { chains: 2, warmup: 300, draws: 8000, ..McmcOptions::default() };
    let mut mcmc = gibbs().chains(&options).unwrap();
    mcmc.run().unwrap();
    let draws = mcmc.into_draws();
    // A row: two means, then five assignments.
    for i in 0..5 {
        close(&draws, &format!("P(z[{i}])"), expected(|z| f64::from(z >> i & 1)), |row| row[2 + i]);
    }
    close(&draws, "P(z[0] = z[4])", expected(|z| f64::from(u8::from(z & 1 == z >> 4 & 1))), |row| {
        f64::from(u8::from(row[2] == row[6]))
    });
    for k in 0..2 {
        close(&draws, &format!("E means[{k}]"), expected(|z| component(k, z).0), |row| row[k]);
        let square = |z| component(k, z).0.powi(2) + component(k, z).1;
        close(&draws, &format!("E means[{k}]²"), expected(square), |row| row[k] * row[k]);
    }
}

/// An exact posterior draw: two means, five assignments.
fn exact(rng: &mut Rng) -> Vec<f64> {
    let mut left = rng.gen_range(0.0..1.0);
    let probabilities = assignments();
    let assignment = (0..31_u32).find(|&z| {
        left -= probabilities[z as usize];
        left < 0.0
    });
    let assignment = assignment.unwrap_or(31);
    let mean = |of: usize, rng: &mut Rng| {
        let (mean, variance, _) = component(of, assignment);
        mean + variance.sqrt() * rng.sample::<f64, _>(StandardNormal)
    };
    let means = [mean(0, rng), mean(1, rng)];
    means.into_iter().chain((0..5).map(|i| f64::from(assignment >> i & 1))).collect()
}

/// From 4000 independent exact draws, one step each: the results are independent exact draws again, so that means have the
/// standard errors of independent draws. Nine of them within five: false alarm below 6e-6. Warm-up is over.
#[test]
fn a_step_from_an_exact_draw_leads_to_an_exact_draw() {
    const N: usize = 4000;
    let mut sampler = gibbs().sampler(100, &InitStrategy::default(), &mut Rng::seed(1)).unwrap();
    for step in 0..100 {
        sampler.step(&mut Rng::stream(2, step)).unwrap();
    }
    let template = sampler.save();
    let mut rows = Vec::new();
    for replicate in 0..N {
        let start = exact(&mut Rng::stream(3, replicate as u64));
        let mut saved = template.clone();
        saved["sites"][0][1] = start[..2].into();
        saved["sites"][1][1] = start[2..].into();
        // The blocks are told that values have moved.
        saved["moves"] = (1_000_000 + replicate).into();
        sampler.restore(saved).unwrap();
        sampler.step(&mut Rng::stream(4, replicate as u64)).unwrap();
        let mut row = Vec::new();
        sampler.values(&mut row).unwrap();
        rows.push(row);
    }
    let check = |what: &str, expected: f64, of: &dyn Fn(&[f64]) -> f64| {
        let values: Vec<f64> = rows.iter().map(|row| of(row)).collect();
        let mean = values.iter().sum::<f64>() / N as f64;
        let sd = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / N as f64).sqrt();
        let z = (mean - expected) / (sd / (N as f64).sqrt());
        println!("{what}: {mean} expected {expected}, {z} standard errors");
        assert!(z.abs() < 5.0, "{what}: {mean} expected {expected}, {z} standard errors");
    };
    for i in 0..5 {
        check(&format!("P(z[{i}])"), expected(|z| f64::from(z >> i & 1)), &|row| row[2 + i]);
    }
    for k in 0..2 {
        check(&format!("E means[{k}]"), expected(|z| component(k, z).0), &|row| row[k]);
        let square = |z| component(k, z).0.powi(2) + component(k, z).1;
        check(&format!("E means[{k}]²"), expected(square), &|row| row[k] * row[k]);
    }
}
