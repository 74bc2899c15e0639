//! Distributions over vectors.

use ppl_core::backend::Backend;
use ppl_core::distribution::Distribution;
use ppl_core::distributions::{
    Dirichlet, DirichletMultinomial, ExpRelaxedCategorical, Multinomial, Normal, OneHotCategorical,
    RelaxedOneHotCategorical,
};
use ppl_core::{Axis, Dtype};

use super::domain::{Domain, LOG_WEIGHT, NON_NEGATIVE, POSITIVE, REAL};
use crate::multivariate::{Argument, Entries, Family, tensors};

/// Any number: for counts, which are read and not checked.
const COUNT: Domain = Domain { words: "a count", holds: |_| true };

type Parameters = &'static [(&'static str, Domain, Entries)];

const CONCENTRATION: (&str, Domain, Entries) = ("concentration", POSITIVE, Entries::Free);
const TEMPERATURE: (&str, Domain, Entries) = ("temperature", POSITIVE, Entries::Free);
const TOTAL_COUNT: (&str, Domain, Entries) = ("total_count", COUNT, Entries::Constant);
const WEIGHTS: Parameters = &[("probs", NON_NEGATIVE, Entries::Free)];
const LOG_WEIGHTS: Parameters = &[("logits", LOG_WEIGHT, Entries::Free)];
const COUNTED_WEIGHTS: Parameters = &[TOTAL_COUNT, ("probs", NON_NEGATIVE, Entries::Free)];
const COUNTED_LOG_WEIGHTS: Parameters = &[TOTAL_COUNT, ("logits", LOG_WEIGHT, Entries::Free)];
const RELAXED: Parameters = &[TEMPERATURE, ("probs", POSITIVE, Entries::Free)];
const RELAXED_LOGITS: Parameters = &[TEMPERATURE, ("logits", REAL, Entries::Free)];

/// The count that all elements share.
fn count<E: Dtype, D: Backend<E>>(argument: &Argument<E, D>) -> usize {
    argument.numbers().to_vec()[0].wide() as usize
}

/// The shape of the values of a parameter's vectors, beside the distribution.
macro_rules! over {
    ($p:expr, $vectors:ident => $distribution:expr) => {{
        let $vectors = $p.vectors();
        tensors($vectors.shape(), $distribution)
    }};
}

pub(crate) fn families<E: Dtype, D: Backend<E>>() -> Vec<Family<E, D>> {
    [normal(), proportions(), counts(), relaxed()].concat()
}

fn proportions<E: Dtype, D: Backend<E>>() -> Vec<Family<E, D>> {
    vec![
        Family {
            name: "Dirichlet",
            build: |p| over!(p[0], v => Dirichlet::new(v)),
            value: Entries::Simplex,
            parameters: &[CONCENTRATION],
            ordinary: 3,
        },
        Family {
            name: "OneHotCategorical",
            build: |p| over!(p[0], v => OneHotCategorical::new(v)),
            value: Entries::Fixed,
            parameters: WEIGHTS,
            ordinary: 2,
        },
        Family {
            name: "OneHotCategorical (logits)",
            build: |p| over!(p[0], v => OneHotCategorical::from_logits(v)),
            value: Entries::Fixed,
            parameters: LOG_WEIGHTS,
            ordinary: 2,
        },
    ]
}

fn counts<E: Dtype, D: Backend<E>>() -> Vec<Family<E, D>> {
    vec![
        Family {
            name: "Multinomial",
            build: |p| over!(p[1], v => Multinomial::new(count(&p[0]), v)),
            value: Entries::Fixed,
            parameters: COUNTED_WEIGHTS,
            ordinary: 3,
        },
        Family {
            name: "Multinomial (logits)",
            build: |p| over!(p[1], v => Multinomial::from_logits(count(&p[0]), v)),
            value: Entries::Fixed,
            parameters: COUNTED_LOG_WEIGHTS,
            ordinary: 2,
        },
        Family {
            name: "DirichletMultinomial",
            build: |p| over!(p[0], v => DirichletMultinomial::new(v, count(&p[1]))),
            value: Entries::Fixed,
            parameters: &[CONCENTRATION, TOTAL_COUNT],
            ordinary: 3,
        },
    ]
}

fn relaxed<E: Dtype, D: Backend<E>>() -> Vec<Family<E, D>> {
    vec![
        Family {
            name: "RelaxedOneHotCategorical",
            build: |p| over!(p[1], v => RelaxedOneHotCategorical::new(p[0].numbers(), v)),
            value: Entries::Simplex,
            parameters: RELAXED,
            ordinary: 2,
        },
        Family {
            name: "RelaxedOneHotCategorical (logits)",
            build: |p| over!(p[1], v => RelaxedOneHotCategorical::from_logits(p[0].numbers(), v)),
            value: Entries::Simplex,
            parameters: RELAXED_LOGITS,
            ordinary: 2,
        },
        Family {
            name: "ExpRelaxedCategorical",
            build: |p| over!(p[1], v => ExpRelaxedCategorical::new(p[0].numbers(), v)),
            value: Entries::Free,
            parameters: RELAXED,
            ordinary: 2,
        },
        Family {
            name: "ExpRelaxedCategorical (logits)",
            build: |p| over!(p[1], v => ExpRelaxedCategorical::from_logits(p[0].numbers(), v)),
            value: Entries::Free,
            parameters: RELAXED_LOGITS,
            ordinary: 2,
        },
    ]
}

fn normal<E: Dtype, D: Backend<E>>() -> Vec<Family<E, D>> {
    vec![Family {
        name: "Normal (vectors)",
        build: |p| {
            let (loc, scale) = (p[0].vectors(), p[1].vectors());
            tensors(loc.shape(), Normal::new(loc, scale).to_event::<Axis<1>>())
        },
        value: Entries::Free,
        parameters: &[("loc", REAL, Entries::Free), ("scale", POSITIVE, Entries::Free)],
        ordinary: 2,
    }]
}
