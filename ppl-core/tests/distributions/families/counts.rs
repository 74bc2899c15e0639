//! Distributions over counts.

use ppl_core::Dtype;
use ppl_core::backend::Backend;
use ppl_core::distributions::{
    BetaBinomial, Binomial, GammaPoisson, Geometric, NegativeBinomial, OrderedLogistic, Poisson,
    ZeroInflatedNegativeBinomial, ZeroInflatedPoisson,
};

use super::domain::{Domain, NON_NEGATIVE, POSITIVE, REAL, UNIT_INTERVAL};
use super::{Family, by_element, categories, numbers};

/// Numbers of trials.
const COUNT: Domain = Domain { words: "a whole number from 0", holds: |v| v >= 0.0 && v.is_finite() && v == v.round() };

/// Probabilities below one.
const BELOW_ONE: Domain = Domain { words: "in [0, 1)", holds: |v| (0.0..1.0).contains(&v) };

/// A predictor and three cutpoints.
const ORDERED: [(&str, Domain); 4] =
    [("predictor", REAL), ("cutpoints[0]", REAL), ("cutpoints[1]", REAL), ("cutpoints[2]", REAL)];

pub(crate) fn families<E: Dtype, D: Backend<E>>() -> Vec<Family<E, D>> {
    vec![
        Family::discrete("Poisson", |p| numbers(Poisson::new(&p[0])))
            .parameters(&[("rate", NON_NEGATIVE)])
            .typical(&[&[2.5], &[0.125], &[40.0]])
            .beyond(&[-1.0, 1.5, f64::INFINITY]),
        Family::discrete("Geometric", |p| numbers(Geometric::new(&p[0])))
            .parameters(&[("probs", UNIT_INTERVAL)])
            .joint("probs", |p| p[0] > 0.0)
            .typical(&[&[0.5], &[0.125], &[0.875]])
            .beyond(&[-1.0, 1.5, f64::INFINITY]),
        Family::discrete("Geometric (logits)", |p| numbers(Geometric::from_logits(&p[0])))
            .parameters(&[("logits", REAL)])
            .typical(&[&[0.5], &[-2.0], &[3.0]])
            .beyond(&[-1.0, 1.5, f64::INFINITY]),
        Family::discrete("Binomial", |p| numbers(Binomial::new(&p[0], &p[1])))
            .parameters(&[("total_count", COUNT), ("probs", UNIT_INTERVAL)])
            .fixed(&["total_count"])
            .typical(&[&[10.0, 0.25], &[3.0, 0.5], &[200.0, 0.875]])
            .beyond(&[-1.0, 1.5, 11.0, f64::INFINITY]),
        Family::discrete("Binomial (logits)", |p| numbers(Binomial::from_logits(&p[0], &p[1])))
            .parameters(&[("total_count", COUNT), ("logits", REAL)])
            .fixed(&["total_count"])
            .typical(&[&[10.0, 0.5], &[3.0, -1.0], &[200.0, 2.5]])
            .beyond(&[-1.0, 1.5, 11.0, f64::INFINITY]),
        Family::discrete("NegativeBinomial", |p| numbers(NegativeBinomial::new(&p[0], &p[1])))
            .parameters(&[("total_count", NON_NEGATIVE), ("probs", BELOW_ONE)])
            .typical(&[&[3.0, 0.5], &[0.75, 0.25], &[20.0, 0.625]])
            .beyond(&[-1.0, 1.5, f64::INFINITY]),
        Family::discrete("NegativeBinomial (logits)", |p| numbers(NegativeBinomial::from_logits(&p[0], &p[1])))
            .parameters(&[("total_count", NON_NEGATIVE), ("logits", REAL)])
            .typical(&[&[3.0, 0.5], &[0.75, -1.5], &[20.0, 1.0]])
            .beyond(&[-1.0, 1.5, f64::INFINITY]),
        Family::discrete("GammaPoisson", |p| numbers(GammaPoisson::new(&p[0], &p[1])))
            .parameters(&[("concentration", POSITIVE), ("rate", POSITIVE)])
            .typical(&[&[3.0, 0.5], &[0.75, 2.0], &[20.0, 1.25]])
            .beyond(&[-1.0, 1.5, f64::INFINITY]),
        Family::discrete("BetaBinomial", |p| numbers(BetaBinomial::new(&p[0], &p[1], &p[2])))
            .parameters(&[("concentration1", POSITIVE), ("concentration0", POSITIVE), ("total_count", COUNT)])
            .fixed(&["total_count"])
            .typical(&[&[2.0, 3.5, 10.0], &[0.5, 0.75, 6.0], &[30.0, 4.0, 100.0]])
            .beyond(&[-1.0, 1.5, 11.0, f64::INFINITY]),
        Family::discrete("ZeroInflated (Poisson)", |p| numbers(ZeroInflatedPoisson::with_rate(&p[0], &p[1])))
            .parameters(&[("rate", NON_NEGATIVE), ("gate", UNIT_INTERVAL)])
            .typical(&[&[2.5, 0.25], &[0.5, 0.5], &[12.0, 0.125]])
            .beyond(&[-1.0, 1.5, f64::INFINITY]),
        Family::discrete("ZeroInflated (negative binomial, logits)", |p| {
            let base = NegativeBinomial::from_logits(&p[0], &p[1]);
            numbers(ZeroInflatedNegativeBinomial::from_gate_logits(base, &p[2]))
        })
        .parameters(&[("total_count", NON_NEGATIVE), ("logits", REAL), ("gate_logits", REAL)])
        .typical(&[&[3.0, 0.5, -1.0], &[0.75, -1.5, 0.5], &[8.0, 1.0, 2.0]])
        .beyond(&[-1.0, 1.5, f64::INFINITY]),
        Family::categories("OrderedLogistic", |p| {
            categories(OrderedLogistic::new(&p[0], by_element(&p[1..])), (2, p[0].numel()))
        })
        .parameters(&ORDERED)
        .joint("cutpoints", |p| p[1] < p[2] && p[2] < p[3])
        .typical(&[&[0.25, -1.0, 0.5, 2.0], &[-1.5, -2.0, 0.0, 1.0]])
        .beyond(&[4.0, 7.0]),
    ]
}
