//! Zeros and ones, and categories.

use ppl_core::Dtype;
use ppl_core::backend::Backend;
use ppl_core::distributions::{Bernoulli, Categorical, LogitRelaxedBernoulli, RelaxedBernoulli};

use super::domain::{Domain, LOG_WEIGHT, NON_NEGATIVE, POSITIVE, REAL, UNIT_INTERVAL};
use super::{Family, Row, by_element, categories, numbers};

/// Weights of three categories.
const PROBS: [(&str, Domain); 3] = [("probs[0]", NON_NEGATIVE), ("probs[1]", NON_NEGATIVE), ("probs[2]", NON_NEGATIVE)];
const LOGITS: [(&str, Domain); 3] = [("logits[0]", LOG_WEIGHT), ("logits[1]", LOG_WEIGHT), ("logits[2]", LOG_WEIGHT)];

/// A temperature, and the probability or log-odds of a one.
const BY_PROBS: [(&str, Domain); 2] = [("temperature", POSITIVE), ("probs", UNIT_INTERVAL)];
const BY_LOGITS: [(&str, Domain); 2] = [("temperature", POSITIVE), ("logits", REAL)];

pub(crate) fn families<E: Dtype, D: Backend<E>>() -> Vec<Family<E, D>> {
    [hard(), relaxed()].concat()
}

fn relaxed<E: Dtype, D: Backend<E>>() -> Vec<Family<E, D>> {
    let inside = |p: &[f64]| p[1] > 0.0 && p[1] < 1.0;
    vec![
        Family::continuous("RelaxedBernoulli", |p| numbers(RelaxedBernoulli::new(&p[0], &p[1])))
            .parameters(&BY_PROBS)
            .joint("probs", inside)
            .typical(&[&[0.5, 0.25], &[2.0, 0.5], &[1.5, 0.875]])
            .beyond(&[-0.5, 1.5]),
        Family::continuous("RelaxedBernoulli (logits)", |p| numbers(RelaxedBernoulli::from_logits(&p[0], &p[1])))
            .parameters(&BY_LOGITS)
            .typical(&[&[0.75, 0.5], &[2.0, -1.5], &[1.5, 2.0]])
            .beyond(&[-0.5, 1.5]),
        Family::continuous("LogitRelaxedBernoulli", |p| numbers(LogitRelaxedBernoulli::new(&p[0], &p[1])))
            .parameters(&BY_PROBS)
            .joint("probs", inside)
            .typical(&[&[0.5, 0.25], &[2.0, 0.5], &[1.5, 0.875]])
            .beyond(&[f64::INFINITY, f64::NEG_INFINITY]),
        Family::continuous("LogitRelaxedBernoulli (logits)", |p| {
            numbers(LogitRelaxedBernoulli::from_logits(&p[0], &p[1]))
        })
        .parameters(&BY_LOGITS)
        .typical(&[&[0.75, 0.5], &[2.0, -1.5], &[1.5, 2.0]])
        .beyond(&[f64::INFINITY, f64::NEG_INFINITY]),
    ]
}

fn hard<E: Dtype, D: Backend<E>>() -> Vec<Family<E, D>> {
    vec![
        Family::discrete("Bernoulli", |p| numbers(Bernoulli::new(&p[0])))
            .parameters(&[("probs", UNIT_INTERVAL)])
            .typical(&[&[0.5], &[0.125], &[0.875]])
            .between(&[0.25, 0.375, 0.5, 0.875])
            .beyond(&[-1.0, 2.0]),
        Family::discrete("Bernoulli (logits)", |p| numbers(Bernoulli::from_logits(&p[0])))
            .parameters(&[("logits", REAL)])
            .typical(&[&[0.5], &[-1.5], &[3.0]])
            .between(&[0.25, 0.375, 0.5, 0.875])
            .beyond(&[-1.0, 2.0]),
        Family::categories("Categorical", |p| categories(Categorical::new(by_element(p)), two_rows(p)))
            .parameters(&PROBS)
            .joint("probs", |p| p.iter().any(|&weight| weight > 0.0))
            .typical(&[&[0.25, 0.5, 0.25], &[2.0, 1.0, 5.0]])
            .beyond(&[3.0, 7.0]),
        Family::categories("Categorical (logits)", |p| {
            categories(Categorical::from_logits(by_element(p)), two_rows(p))
        })
        .parameters(&LOGITS)
        .joint("logits", |p| p.iter().any(|&weight| weight > f64::NEG_INFINITY))
        .typical(&[&[0.0, 1.0, -0.5], &[-1.0, 2.0, 1.5]])
        .beyond(&[3.0, 7.0]),
    ]
}

/// The shape of two rows of weights.
fn two_rows<E: Dtype, D: Backend<E>>(weights: &[Row<E, D>]) -> (usize, usize, usize) {
    (2, weights[0].numel(), weights.len())
}
