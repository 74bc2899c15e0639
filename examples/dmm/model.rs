//! The Deep Markov Model and its guide, part for part as in Pyro's `examples/dmm.py`. Its dropout of 0.1 stands between
//! recurrent layers; there is one, so that it does nothing there and is left out here.
//!
//! Reference: Krishnan, Shalit and Sontag, *Structured Inference Networks for Nonlinear State Space Models*,
//! AAAI 2017.

use ppl::distributions::TransformedDistribution;
use ppl::flows::{AffineAutoregressive, Stack};
use ppl::nn::{Activation, Direction, Rnn};
use ppl::prelude::*;
use rand::seq::SliceRandom;

use super::batch::Batch;
use super::chorales::KEYS;
use super::network::{Combiner, GatedTransition, Rows, Sizes, emitter};

/// The same vector for each sequence.
fn repeated(row: &Tensor<(usize,)>, sequences: usize) -> Rows {
    row.broadcast_like::<_, Axis<0>>(&(sequences, row.numel()))
}

/// The states of one step.
fn step(states: &Tensor<(usize, usize, usize)>, t: usize) -> Rows {
    let (_, sequences, size) = states.shape();
    states.slice::<(usize, usize, usize)>(&[t..t + 1, 0..sequences, 0..size]).reshape_like(&(sequences, size))
}

/// zₜ ~ N(transition(zₜ₋₁)), xₜ ~ Bernoulli(emitter(zₜ)), for each step of each chorale. The terms of the latents are
/// multiplied by `annealing`.
#[model]
pub fn dmm(batch: &Batch, sizes: Sizes, annealing: f64) {
    let emitter = module!("emitter", |init| emitter(init, sizes));
    let transition = module!("transition", |init| GatedTransition::new(init, sizes));
    let z_0 = param!("z_0", Tensor::<(usize,)>::full_like(0.0, (sizes.latent,)));
    let n = batch.sequences();
    plate!("chorales", n, |_| {
        let mut z = repeated(&z_0, n);
        for t in 0..batch.longest() {
            let (loc, scale) = transition.forward(&z);
            let next = Normal::new(loc, scale).to_event::<Axis<1>>().mask(batch.mask(t));
            z = sample!("z_{t}": Rows, next, scale = annealing);
            let keys = Bernoulli::from_logits(emitter.forward(&z)).to_event::<Axis<1>>().mask(batch.mask(t));
            sample!("x_{t}", keys, obs = batch.step(t));
        }
    });
}

/// zₜ ~ N(combiner(zₜ₋₁, state)), with states of a recurrent layer that runs from each chorale's end to its
/// beginning; with flows behind it where `sizes.flows` asks for them.
#[guide(dmm)]
pub fn dmm_guide(batch: &Batch, sizes: Sizes, annealing: f64) {
    let rnn = module!("rnn", |init| Rnn::<Const<KEYS>, usize>::new(init, Const, sizes.recurrent, Activation::Relu));
    let combiner = module!("combiner", |init| Combiner::new(init, sizes));
    let flows = module!("iafs", |init| iafs(init, sizes));
    let z_0 = param!("z_q_0", Tensor::<(usize,)>::full_like(0.0, (sizes.latent,)));
    let h_0 = param!("h_0", Tensor::<(usize,)>::full_like(0.0, (sizes.recurrent,)));
    let n = batch.sequences();
    let states = rnn.forward(&batch.steps, &repeated(&h_0, n), batch.lengths.clone(), Direction::Backward);
    plate!("chorales", n, |_| {
        let mut z = repeated(&z_0, n);
        for t in 0..batch.longest() {
            let (loc, scale) = combiner.forward(&z, &step(&states, t));
            let base = Normal::new(loc, scale).to_event::<Axis<1>>();
            z = if sizes.flows == 0 {
                sample!("z_{t}", base.mask(batch.mask(t)), scale = annealing)
            } else {
                let flown = TransformedDistribution::new(base, flows.clone()).mask(batch.mask(t));
                sample!("z_{t}", flown, scale = annealing)
            };
        }
    });
}

/// The flows of the guide, each with the variables in a random order of its own.
fn iafs(init: &mut Init<f32, Cpu>, sizes: Sizes) -> Stack {
    (0..sizes.flows).fold(Stack::new(), |flows, _| {
        let mut order: Vec<usize> = (0..sizes.latent).collect();
        order.shuffle(init.rng());
        flows.then(AffineAutoregressive::new(init, sizes.latent, &[sizes.flow]).with_order(order))
    })
}
