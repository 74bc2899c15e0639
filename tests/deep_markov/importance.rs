//! Importance sampling under guides that are not the posterior: the mean of the weights is the likelihood.
//!
//! Each sequence stands `COPIES` times in the batch, so that a run gives as many weights of each. With w the weights over the
//! exact likelihood, their mean is compared with 1. It is nearly normal, as no weight is more than a hundredth of the sum, so
//! that 5 standard errors are exceeded with a probability of about 6e-7: in all 16 comparisons of this file a false alarm in
//! 1e-5 of all seeds.

use ppl::infer::{Adam, Svi, TraceElbo};
use ppl::prelude64::*;

use crate::batch::{Batch, Sequence, sorted};
use crate::chain::{Given, amortised, chain, smoother};
use crate::kalman::{Conditional, Reference, reference};
use crate::weights::weigh;

const COPIES: usize = 20_000;

fn copies(reference: &Reference) -> Vec<&Sequence> {
    reference.sequences.iter().flat_map(|x| std::iter::repeat_n(x, COPIES)).collect()
}

/// Compares the mean weight of each sequence with its likelihood.
#[track_caller]
fn unbiased(log_weights: &[f64], reference: &Reference) {
    let once: Vec<&Sequence> = reference.sequences.iter().collect();
    assert_eq!(log_weights.len(), 4 * COPIES);
    for (x, log_weights) in sorted(&once).into_iter().zip(log_weights.chunks(COPIES)) {
        let exact = reference.world.log_likelihood(x);
        let n = COPIES as f64;
        let weights: Vec<f64> = log_weights.iter().map(|log| (log - exact).exp()).collect();
        let mean = weights.iter().sum::<f64>() / n;
        let error = (weights.iter().map(|w| (w - mean).powi(2)).sum::<f64>() / (n * (n - 1.0))).sqrt();
        let largest = weights.iter().copied().fold(0.0, f64::max);
        assert!(largest < 0.01 * n, "{} steps: a weight of {largest}", x.len());
        assert!(error < 0.05, "{} steps: an error of {error}", x.len());
        assert!((mean - 1.0).abs() < 5.0 * error, "{} steps: {mean} ± {error}", x.len());
        // ln of the estimate, as reported: its error is that of the mean, relative.
        assert!((mean.ln()).abs() < 5.0 * error / mean, "{} steps: {}", x.len(), mean.ln());
    }
}

/// The posterior with wrong means and wider scales.
#[test]
fn wrong_means_and_wider_scales() {
    let reference = reference();
    let sequences = copies(&reference);
    let batch = Batch::new(&sequences, 0.0);
    let worse = |step: &mut Conditional| {
        step.shift.iter_mut().for_each(|v| *v += 0.2);
        step.linear.0[0][1] += 0.1;
        step.scale_tril.0.iter_mut().flatten().for_each(|v| *v *= 1.2);
    };
    let given = Given::new(&reference.world).with_posteriors(&sequences, worse);
    let run = weigh(&smoother, (&batch, &given, 1.0), &mut ParamStore::new(0), 2);
    unbiased(&run.log_weights(), &reference);
}

/// The example's guide, and flows behind it, fitted and then made wider, so that no weight is too large; for at most three
/// steps of each sequence.
#[track_caller]
fn by_amortised_guide(flows: usize, wider: f64) {
    let mut reference = reference();
    reference.sequences.iter_mut().for_each(|x| x.truncate(3));
    let few = Batch::new(&reference.sequences.iter().flat_map(|x| [x; 8]).collect::<Vec<_>>(), 0.0);
    let given = Given { flows, ..Given::new(&reference.world) };
    let mut svi = Svi::new(chain, amortised, Adam::new(0.02), TraceElbo::default()).seed(3);
    svi.evaluate((&few, &given, 1.0)).unwrap();
    let model =
        ["transition", "emission", "log_q", "log_r", "z_0"].map(|name| (name, svi.params().entry(name).cloned()));
    for _ in 0..1000 {
        svi.step((&few, &given, 1.0)).unwrap();
        for (name, entry) in model.clone() {
            svi.params_mut().insert(name, entry.expect("the model has it"));
        }
    }
    let mut params = svi.into_params();
    params.each_tensor_mut(|name, tensor| {
        if name == "combiner.scale.bias" {
            let values: Vec<f64> = tensor.to_vec().iter().map(|v| v + wider).collect();
            tensor.set(&values).expect("as many");
        }
    });
    let batch = Batch::new(&copies(&reference), 0.0);
    let run = weigh(&amortised, (&batch, &given, 1.0), &mut params, 3);
    unbiased(&run.log_weights(), &reference);
}

#[test]
fn a_guide_without_flows() {
    by_amortised_guide(0, 0.9);
}

#[test]
fn a_guide_with_one_flow() {
    by_amortised_guide(1, 0.4);
}

#[test]
fn a_guide_with_two_flows() {
    by_amortised_guide(2, 0.4);
}
