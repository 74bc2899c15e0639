//! Distributions with a location and a scale, and those on an interval or a circle.

use std::f64::consts::PI;

use ppl_core::Dtype;
use ppl_core::backend::Backend;
use ppl_core::distributions::{
    AsymmetricLaplace, Cauchy, ContinuousBernoulli, Gumbel, HalfCauchy, Kumaraswamy, Laplace, Logistic, Pareto,
    TruncatedNormal, Uniform, VonMises, Weibull,
};

use super::domain::{Domain, LOG_WEIGHT, POSITIVE, REAL, UNIT_INTERVAL, UPPER_END};
use super::{Family, numbers};

const LOC_SCALE: &[(&str, Domain)] = &[("loc", REAL), ("scale", POSITIVE)];
const LOCATIONS: &[&[f64]] = &[&[0.0, 1.0], &[-1.5, 0.5], &[2.0, 3.0]];
const INFINITE: &[f64] = &[f64::INFINITY, f64::NEG_INFINITY];
const TRUNCATIONS: &[&[f64]] = &[
    &[0.0, 1.0, -1.0, 2.0],
    &[0.5, 1.0, 2.0, 3.5],
    &[1.0, 2.0, -6.0, -4.0],
    &[0.0, 1.0, -6.0, 0.5],
    &[0.5, 1.0, 2.0, f64::INFINITY],
    &[-1.0, 2.0, f64::NEG_INFINITY, 0.5],
    &[1.5, 0.5, f64::NEG_INFINITY, f64::INFINITY],
];

pub(crate) fn families<E: Dtype, D: Backend<E>>() -> Vec<Family<E, D>> {
    [on_the_line(), positive(), in_an_interval()].concat()
}

fn on_the_line<E: Dtype, D: Backend<E>>() -> Vec<Family<E, D>> {
    let line = |family: Family<E, D>| family.parameters(LOC_SCALE).typical(LOCATIONS).beyond(INFINITE);
    vec![
        line(Family::continuous("Cauchy", |p| numbers(Cauchy::new(&p[0], &p[1])))),
        line(Family::continuous("Laplace", |p| numbers(Laplace::new(&p[0], &p[1])))).kinks(|p| vec![p[0]]),
        line(Family::continuous("Logistic", |p| numbers(Logistic::new(&p[0], &p[1])))),
        line(Family::continuous("Gumbel", |p| numbers(Gumbel::new(&p[0], &p[1])))),
        Family::continuous("AsymmetricLaplace", |p| numbers(AsymmetricLaplace::new(&p[0], &p[1], &p[2])))
            .parameters(&[("loc", REAL), ("scale", POSITIVE), ("asymmetry", POSITIVE)])
            .typical(&[&[0.0, 1.0, 1.0], &[-1.5, 0.5, 2.0], &[2.0, 3.0, 0.75]])
            .kinks(|p| vec![p[0]])
            .beyond(INFINITE),
    ]
}

fn positive<E: Dtype, D: Backend<E>>() -> Vec<Family<E, D>> {
    vec![
        Family::continuous("HalfCauchy", |p| numbers(HalfCauchy::new(&p[0])))
            .parameters(&[("scale", POSITIVE)])
            .typical(&[&[1.0], &[0.25], &[5.0]])
            .beyond(&[-1e-3, f64::INFINITY]),
        Family::continuous("Weibull", |p| numbers(Weibull::new(&p[0], &p[1])))
            .parameters(&[("scale", POSITIVE), ("concentration", POSITIVE)])
            .typical(&[&[1.0, 2.0], &[0.5, 0.75], &[3.0, 5.0]])
            .beyond(&[-1e-3, f64::INFINITY]),
        Family::continuous("Pareto", |p| numbers(Pareto::new(&p[0], &p[1])))
            .parameters(&[("scale", POSITIVE), ("alpha", POSITIVE)])
            .typical(&[&[1.0, 3.0], &[0.5, 0.75], &[3.0, 6.0]])
            .kinks(|p| vec![p[0]])
            .beyond(&[0.999, f64::INFINITY]),
    ]
}

fn in_an_interval<E: Dtype, D: Backend<E>>() -> Vec<Family<E, D>> {
    vec![
        Family::continuous("Uniform", |p| numbers(Uniform::new(&p[0], &p[1])))
            .parameters(&[("low", REAL), ("high", REAL)])
            .joint("high", |p| p[0] < p[1])
            .typical(&[&[0.0, 1.0], &[-2.0, 0.5], &[3.0, 10.0]])
            .beyond(&[-1e-3, 1.001]),
        Family::continuous("TruncatedNormal", |p| numbers(TruncatedNormal::new(&p[0], &p[1], &p[2], &p[3])))
            .parameters(&[("loc", REAL), ("scale", POSITIVE), ("low", LOG_WEIGHT), ("high", UPPER_END)])
            .joint("high", |p| p[2] < p[3])
            .typical(TRUNCATIONS)
            .kinks(|p| vec![p[2], p[3]])
            .beyond(&[-1.001, 2.001]),
        Family::continuous("VonMises", |p| numbers(VonMises::new(&p[0], &p[1])))
            .parameters(&[("loc", REAL), ("concentration", POSITIVE)])
            .typical(&[&[0.5, 2.0], &[-2.5, 0.75], &[1.0, 40.0], &[3.0, 5.0]])
            .period(|_| (-PI, PI))
            .composite_draws()
            .beyond(&[4.0, -4.0]),
        Family::continuous("ContinuousBernoulli", |p| numbers(ContinuousBernoulli::new(&p[0])))
            .parameters(&[("probs", UNIT_INTERVAL)])
            .typical(&[&[0.5], &[0.125], &[0.875]])
            .beyond(&[-1e-3, 1.001]),
        Family::continuous("ContinuousBernoulli (logits)", |p| numbers(ContinuousBernoulli::from_logits(&p[0])))
            .parameters(&[("logits", REAL)])
            .typical(&[&[0.5], &[-1.5], &[3.0]])
            .beyond(&[-1e-3, 1.001]),
        Family::continuous("Kumaraswamy", |p| numbers(Kumaraswamy::new(&p[0], &p[1])))
            .parameters(&[("concentration1", POSITIVE), ("concentration0", POSITIVE)])
            .typical(&[&[2.0, 3.0], &[0.75, 0.875], &[5.0, 1.5]])
            .beyond(&[-1e-3, 1.001]),
    ]
}
