//! The catalogue of distributions names every one that there is.

use std::collections::BTreeSet;

const MODULE: &str = include_str!("../../src/distributions.rs");
const CATALOGUE: &str = include_str!("../../src/distributions/catalogue.md");

/// What is exported but is no distribution, or is another's detail that its own page names.
const DETAILS: [&str; 17] = [
    "BernoulliSample",
    "CategoricalSample",
    "Components",
    "Emission",
    "ExpRelaxedCategorical",
    "ExponentialSample",
    "LogitRelaxedBernoulli",
    "MatricesFor",
    "Mixable",
    "NormalDeviations",
    "NormalSample",
    "PoissonSample",
    "Sequences",
    "SquareMatrices",
    "VectorsFor",
    "ZeroInflatedNegativeBinomial",
    "ZeroInflatedPoisson",
];

/// The names that the module exports.
fn exported() -> BTreeSet<&'static str> {
    let exports = MODULE.split("\npub use ").skip(1).map(|rest| rest.split(';').next().expect("a statement ends"));
    let words = exports.flat_map(|list| list.split(|c: char| !c.is_alphanumeric() && c != '_'));
    words.filter(|word| word.starts_with(|c: char| c.is_uppercase())).collect()
}

#[test]
fn every_distribution_is_in_the_catalogue() {
    let missing: Vec<_> = exported()
        .into_iter()
        .filter(|name| !DETAILS.contains(name) && !CATALOGUE.contains(&format!("[`{name}`]")))
        .collect();
    assert!(missing.is_empty(), "not in distributions/catalogue.md: {missing:?}");
    let gone: Vec<_> = DETAILS.iter().filter(|name| !exported().contains(*name)).collect();
    assert!(gone.is_empty(), "no longer exported: {gone:?}");
}
