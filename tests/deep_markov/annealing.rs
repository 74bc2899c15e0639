//! `sample!(.., scale = a)` multiplies the terms of the latents and nothing else: for given draws the loss is
//! −(a · (ln p(z) − ln q(z)) + ln p(x | z)).

use std::f64::consts::TAU;

use ppl::autodiff::try_grad;
use ppl::infer::TraceElbo;
use ppl::infer::elbo::Objective;
use ppl::infer::pair::Pair;
use ppl::infer::runs::Programs;
use ppl::prelude64::*;
use ppl::rng::Rng;

use crate::batch::{Batch, Sequence, sorted};
use crate::chain::{Given, LATENT, amortised, chain, smoother};
use crate::gradients::{ByName, by_name};
use crate::kalman::{Conditional, World, reference};
use crate::matrix::{Matrix, dot, plus};
use crate::weights::values;

const WEIGHTS: [f64; 5] = [1.0, 0.2, 0.5, 1e-3, 1.7];

/// ln N(x; mean, L Lᵀ).
fn log_normal(x: &[f64], mean: &[f64], scale_tril: &Matrix) -> f64 {
    let (inverse, log_det) = scale_tril.inverse();
    let noise = inverse.of(&plus(x, -1.0, mean));
    -0.5 * (dot(&noise, &noise) + x.len() as f64 * TAU.ln()) - log_det
}

/// The wrong posterior that the guide takes.
fn worse(step: &mut Conditional) {
    step.shift.iter_mut().for_each(|v| *v -= 0.3);
    step.scale_tril.0.iter_mut().flatten().for_each(|v| *v *= 1.3);
}

/// ln p(z) − ln q(z) and ln p(x | z) of one sequence.
fn parts(world: &World, sequence: &Sequence, z: &[Vec<f64>]) -> [f64; 2] {
    let scales = |logs: &[f64]| Matrix::diagonal(logs.iter().map(|log| log.exp()));
    let (a, c) = (Matrix(world.a.clone()), Matrix(world.c.clone()));
    let (q, r) = (scales(&world.log_q), scales(&world.log_r));
    let (mut before, mut latent, mut data) = (&world.z_0, 0.0, 0.0);
    for ((x, z), mut guide) in sequence.iter().zip(z).zip(world.posterior(sequence)) {
        worse(&mut guide);
        latent += log_normal(z, &plus(&a.of(before), 1.0, &world.b), &q);
        latent -= log_normal(z, &plus(&guide.linear.of(before), 1.0, &guide.shift), &guide.scale_tril);
        data += log_normal(x, &plus(&c.of(z), 1.0, &world.d), &r);
        before = z;
    }
    [latent, data]
}

#[test]
fn the_loss_is_affine_in_the_factor() {
    let reference = reference();
    let sequences: Vec<&Sequence> = reference.sequences.iter().collect();
    let batch = Batch::new(&sequences, 0.0);
    let given = Given::new(&reference.world).with_posteriors(&sequences, worse);
    let (mut params, mut store) = (ParamStore::new(0), ParamStore::new(0));
    let mut draw = |a: f64| Pair::draw(&chain, &smoother, (&batch, &given, a), &mut params, Rng::seed(7), true);

    let pair = draw(1.0).unwrap();
    let drawn: Vec<Vec<f64>> = (0..batch.longest()).map(|t| values(&pair.guide, t).to_vec()).collect();
    let mut sums = [0.0; 2];
    for (row, sequence) in sorted(&sequences).into_iter().enumerate() {
        let z: Vec<Vec<f64>> = drawn.iter().map(|z| z[row * LATENT..][..LATENT].to_vec()).collect();
        let [latent, data] = parts(&reference.world, sequence, &z);
        sums = [sums[0] + latent, sums[1] + data];
    }
    assert!(sums.iter().all(|sum| sum.abs() > 1.0), "{sums:?}");
    for a in WEIGHTS {
        let programs = (&chain, &smoother);
        let (args, rng) = ((&batch, &given, a), |_| Rng::seed(7));
        let mut runs = Programs { programs, args, params: &mut store, rng: &rng, validate: true };
        let found = TraceElbo::default().loss(&mut runs).unwrap();
        let expected = -(a * sums[0] + sums[1]);
        assert!((found - expected).abs() < 1e-10, "{a}: {found}, not {expected}");
        let pair = draw(a).unwrap();
        assert_eq!(values(&pair.guide, 2), values(&pair.model, 2));
        assert_eq!(values(&pair.guide, 2).to_vec(), drawn[2]);
        let scale = |site: &ppl::trace::SiteRecord<f64, Cpu>| if site.observed { 1.0 } else { a };
        assert!(pair.model.sites().chain(pair.guide.sites()).all(|site| site.scale == scale(site)));
    }
}

/// The gradient of the loss in each number of each parameter, by name.
fn gradients(batch: &Batch, given: &Given, a: f64) -> ByName {
    let mut params = ParamStore::new(5);
    let (_, _, mut grads) = try_grad(|| {
        let mut objective = TraceElbo::default();
        let (args, rng) = ((batch, given, a), |_| Rng::seed(7));
        let programs = (&chain, &amortised);
        let mut runs = Programs { programs, args, params: &mut params, rng: &rng, validate: true };
        let (_, loss) = objective.surrogate(&mut runs)?;
        Ok::<_, ppl::Error>((loss, ()))
    })
    .expect("a run without mistakes");
    by_name(&mut params, &mut grads)
}

/// Gradients of transition and flows through the draws are affine too; those of the emission, whose terms have no factor,
/// stay, and those of the transition, all of whose terms have it, are proportional.
#[test]
fn gradients_are_affine_in_the_factor() {
    let reference = reference();
    let sequences: Vec<&Sequence> = reference.sequences.iter().collect();
    let batch = Batch::new(&sequences, 0.0);
    for flows in 0..3 {
        let given = Given { flows, ..Given::new(&reference.world) };
        let [full, half] = [1.0, 0.5].map(|a| gradients(&batch, &given, a));
        for a in WEIGHTS {
            for (k, (name, found)) in gradients(&batch, &given, a).iter().enumerate() {
                for (i, &found) in found.iter().enumerate() {
                    let (one, slope) = (full[k].1[i], 2.0 * (full[k].1[i] - half[k].1[i]));
                    let expected = match name.as_str() {
                        "emission.weight" | "emission.bias" | "log_r" => one,
                        "transition.weight" | "transition.bias" | "log_q" | "z_0" => a * one,
                        _ => one + (a - 1.0) * slope,
                    };
                    let near = (found - expected).abs() < 1e-11 * one.abs().max(1.0);
                    assert!(near, "{flows} flows, {a}: {name}[{i}] is {found}, not {expected}");
                }
            }
        }
    }
}
