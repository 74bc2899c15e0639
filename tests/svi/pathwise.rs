//! Pathwise gradients against closed forms.

use ppl::infer::{Sgd, Svi, TraceElbo};

use crate::chain::{Scalar, chain, chain_guide, closed_form};
use crate::gradients::estimates;

#[test]
fn loss_and_gradient_of_a_normal_guide_are_the_closed_form() {
    let x = Scalar::scalar(2.0);
    let found = estimates((&chain, &chain_guide), (&x,), TraceElbo::with_particles(100), 200);
    // A particle's loss has a standard deviation of 0.85, its gradients have 1.6 and 2.0: divided by
    // the root of 20,000.
    for (i, exact) in closed_form(2.0, 0.5, 0.8).into_iter().enumerate() {
        found[i].agrees(["loss", "d/d loc", "d/d ln scale"][i], exact, 0.0, 0.016);
    }
}

#[test]
fn evaluations_estimate_the_same_loss() {
    let x = Scalar::scalar(2.0);
    let mut svi = Svi::new(chain, chain_guide, Sgd::new(0.1), TraceElbo::with_particles(100)).seed(1);
    let losses: Vec<f64> = (0..200).map(|_| svi.evaluate(&x).unwrap()).collect();
    crate::estimate::Estimate::of(&losses).agrees("loss", closed_form(2.0, 0.5, 0.8)[0], 0.0, 0.016);
}

#[test]
fn a_step_of_gradient_descent_goes_down_the_gradient_of_its_loss() {
    let x = Scalar::scalar(2.0);
    let steps = 200;
    let (mut losses, mut moves) = (Vec::new(), Vec::new());
    for seed in 0..steps {
        let mut svi = Svi::new(chain, chain_guide, Sgd::new(0.25), TraceElbo::with_particles(50)).seed(seed);
        losses.push(svi.step(&x).unwrap());
        moves.push((0.5 - svi.params().constrained("loc").unwrap().at(0).item()) / 0.25);
    }
    let exact = closed_form(2.0, 0.5, 0.8);
    crate::estimate::Estimate::of(&losses).agrees("loss", exact[0], 0.0, 0.02);
    crate::estimate::Estimate::of(&moves).agrees("d/d loc", exact[1], 0.0, 0.02);
}

#[test]
fn more_particles_than_a_block_of_streams_draw_different_numbers() {
    // Were the streams of the second block those of the next step, its losses would be these.
    let x = Scalar::scalar(2.0);
    let blocks = 1 << 16;
    let svi = |particles| Svi::new(chain, chain_guide, Sgd::new(1e-300), TraceElbo::with_particles(particles)).seed(1);
    let sum = |loss: f64, n: u64| loss * n as f64;
    let mut two = svi(blocks + 1);
    let last = sum(two.step(&x).unwrap(), blocks + 1) - sum(svi(blocks).step(&x).unwrap(), blocks);
    let mut one = svi(1);
    one.step(&x).unwrap();
    let next = one.step(&x).unwrap();
    assert!((last - next).abs() > 1e-6, "the last particle of a step drew what the next step draws: {last} {next}");
}
