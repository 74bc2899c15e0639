//! Pathwise gradients against closed forms.

use ppl::infer::pair::Ask;
use ppl::infer::runs::Runs;
use ppl::infer::{Objective, Sgd, Svi, TraceElbo};
use ppl::{Cpu, Error};

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

/// The loss of the particle of this number alone.
struct Only(u64);

impl Objective<f64, Cpu> for Only {
    fn surrogate(&mut self, runs: &mut dyn Runs<f64, Cpu>) -> Result<(f64, Scalar), Error> {
        let pair = runs.pair(self.0, Ask::default())?;
        let loss = pair.guide.log_prob_sum() - pair.model.log_prob_sum();
        Ok((loss.item(), loss))
    }
    fn loss(&self, runs: &mut dyn Runs<f64, Cpu>) -> Result<f64, Error> {
        let pair = runs.pair(self.0, Ask::default())?;
        Ok((pair.guide.log_prob_sum() - pair.model.log_prob_sum()).item())
    }
}

#[test]
fn steps_and_particles_of_any_number_draw_different_numbers() {
    let x = Scalar::scalar(2.0);
    let mut losses = Vec::new();
    for number in [0, 1, 1 << 16, (1 << 16) + 1, 2 << 16] {
        let mut svi = Svi::new(chain, chain_guide, Sgd::new(1e-300), Only(number)).seed(1);
        for _ in 0..3 {
            losses.extend([svi.evaluate(&x).unwrap(), svi.evaluate(&x).unwrap(), svi.step(&x).unwrap()]);
        }
    }
    let count = losses.len();
    losses.sort_by(f64::total_cmp);
    losses.dedup();
    assert_eq!(losses.len(), count);
}
