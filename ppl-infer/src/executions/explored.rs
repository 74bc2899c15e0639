//! The posterior of what a model returns.

use std::collections::BTreeMap;

use super::search::Report;

/// The posterior probabilities of a model's results, over the executions that were explored.
///
/// They are exact where nothing was left ([`Explored::unexplored`]); otherwise they are those given that the execution is one
/// of the explored.
#[derive(Clone, Debug)]
pub struct Explored<K> {
    /// ln of the joint density of each result.
    results: BTreeMap<K, f64>,
    log_evidence: f64,
    report: Report,
}

impl<K> Default for Explored<K> {
    fn default() -> Self {
        Explored { results: BTreeMap::new(), log_evidence: f64::NEG_INFINITY, report: Report::default() }
    }
}

impl<K: Ord> Explored<K> {
    pub(super) fn add(&mut self, key: K, weight: f64) {
        let sum = self.results.entry(key).or_insert(f64::NEG_INFINITY);
        *sum = log_sum(*sum, weight);
    }

    pub(super) fn end(&mut self, report: Report) {
        self.log_evidence = self.results.values().fold(f64::NEG_INFINITY, |sum, &weight| log_sum(sum, weight));
        self.report = report;
    }

    /// ln of the density of the data, as far as executions were explored: a lower bound.
    pub fn log_evidence(&self) -> f64 {
        self.log_evidence
    }

    /// The posterior probability of a result.
    pub fn probability(&self, key: &K) -> f64 {
        self.log_probability(key).exp()
    }

    /// ln of [`Explored::probability`]; −∞ for a result of no execution.
    pub fn log_probability(&self, key: &K) -> f64 {
        self.results.get(key).map_or(f64::NEG_INFINITY, |weight| weight - self.log_evidence)
    }

    /// The results in order, with their posterior probabilities.
    pub fn iter(&self) -> impl Iterator<Item = (&K, f64)> {
        self.results.iter().map(|(key, weight)| (key, (weight - self.log_evidence).exp()))
    }

    /// The posterior mean of a function of the result.
    pub fn mean(&self, f: impl Fn(&K) -> f64) -> f64 {
        self.iter().map(|(key, probability)| probability * f(key)).sum()
    }

    /// The most probable result, the first of equal ones; none of a search that was never made.
    pub fn most_probable(&self) -> Option<&K> {
        let mut greatest = None;
        for (key, weight) in &self.results {
            if greatest.is_none_or(|(_, known)| weight > known) {
                greatest = Some((key, weight));
            }
        }
        greatest.map(|(key, _)| key)
    }

    /// How much of the prior's probability is in executions that were not explored.
    pub fn unexplored(&self) -> f64 {
        self.report.unexplored
    }

    /// How many executions came to their end.
    pub fn executions(&self) -> usize {
        self.report.executions
    }

    /// How many runs of the model there were, those included that ended early.
    pub fn runs(&self) -> usize {
        self.report.runs
    }
}

/// ln(eᵃ + eᵇ).
fn log_sum(a: f64, b: f64) -> f64 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    if high == f64::NEG_INFINITY { high } else { high + (low - high).exp().ln_1p() }
}
