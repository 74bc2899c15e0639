//! The loss and the gradient that an objective gives the optimiser, step by step.

use ppl::autodiff::try_grad;
use ppl::infer::runs::Programs;
use ppl::infer::{Objective, TraceElbo};
use ppl::model::Model;
use ppl::params::ParamStore;
use ppl::rng::Rng;
use ppl::shared::Shared;
use ppl::{Cpu, Error};

use super::estimate::Estimate;

/// The loss, and after it the elements of all gradients in the order of the parameters, from the
/// particles with these streams of randomness.
pub(crate) fn loss_and_gradient<A, M, G>(
    (model, guide): (&M, &G),
    args: A,
    objective: &mut impl Objective<f64, Cpu>,
    store: &mut ParamStore<f64, Cpu>,
    stream: impl Fn(u64) -> u64 + Sync,
) -> Vec<f64>
where
    A: Clone + Shared,
    M: Model<A, E = f64, D = Cpu>,
    G: Model<A, E = f64, D = Cpu>,
{
    let (_, loss, mut grads) = try_grad(|| {
        let rng = |p| Rng::stream(11, stream(p));
        let mut runs = Programs { programs: (model, guide), args, params: &mut *store, rng: &rng, validate: true };
        let (loss, surrogate) = objective.surrogate(&mut runs)?;
        Ok::<_, Error>((surrogate, loss))
    })
    .expect("the guide fits");
    let mut numbers = vec![loss];
    store.each_tensor_mut(|_, tensor| {
        tensor.update(&mut grads, &mut |_, gradient| numbers.extend_from_slice(gradient)).expect("the CPU works");
    });
    numbers
}

/// Estimates of the loss and of all elements of the gradient from that many steps at the initial
/// parameters. The objective keeps its state from step to step.
pub(crate) fn estimates<A, M, G>(pair: (&M, &G), args: A, objective: TraceElbo, steps: u64) -> Vec<Estimate>
where
    A: Clone + Shared,
    M: Model<A, E = f64, D = Cpu>,
    G: Model<A, E = f64, D = Cpu>,
{
    let particles = objective.num_particles;
    estimates_of(pair, args, objective, particles, steps)
}

/// [`estimates`] of any objective with that many particles.
pub(crate) fn estimates_of<A, M, G>(
    pair: (&M, &G),
    args: A,
    mut objective: impl Objective<f64, Cpu>,
    particles: u64,
    steps: u64,
) -> Vec<Estimate>
where
    A: Clone + Shared,
    M: Model<A, E = f64, D = Cpu>,
    G: Model<A, E = f64, D = Cpu>,
{
    let mut store = ParamStore::new(0);
    let rows: Vec<Vec<f64>> = (0..steps)
        .map(|t| loss_and_gradient(pair, args.clone(), &mut objective, &mut store, |p| t * particles + p))
        .collect();
    (0..rows[0].len()).map(|i| Estimate::of(&rows.iter().map(|row| row[i]).collect::<Vec<_>>())).collect()
}
