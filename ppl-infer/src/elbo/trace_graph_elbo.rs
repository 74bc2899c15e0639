//! The evidence lower bound with scores weighed by downstream costs alone.

use std::borrow::Cow;

use indexmap::IndexMap;
use ppl_core::address::fits;
use ppl_core::backend::Backend;
use ppl_core::trace::{Keep, SiteRecord, total};
use ppl_core::{Dtype, Error, Tensor};

use super::Objective;
use super::baseline::{Averages, Baseline, Kind};
use super::bound::{drawn, finite_elbo};
use super::decaying_average::DecayingAverage;
use super::downstream::Downstream;
use crate::pair::{Ask, Pair};
use crate::runs::Runs;

/// The evidence lower bound of [`TraceElbo`](super::TraceElbo), whose scored sites (those without pathwise
/// gradients) weigh ∇ log q(z) not by all of the bound, but by the terms that z can change, less a baseline:
///
/// - *by order*: not by terms of sites that come before it;
/// - *by plate*: an element not by the terms of other elements of its plate.
///
/// Both leave the mean as it is, and take off variance. They rely on the meaning of programs: elements of a
/// plate depend on one another only by way of draws outside the plate (such draws in the guide are found, and
/// the plate then not used). Iterations of a loop over a plate count as one after the other.
///
/// References: Schulman, Heess, Weber and Abbeel, *Gradient Estimation Using Stochastic Computation Graphs*
/// (NeurIPS 2015); Mnih and Gregor, *Neural Variational Inference and Learning in Belief Networks* (ICML 2014);
/// Pyro's `TraceGraph_ELBO`.
#[derive(Clone, Debug)]
pub struct TraceGraphElbo<E: Dtype, D: Backend<E>> {
    /// How many runs are averaged, at least one; default 1.
    pub num_particles: u64,
    baselines: Vec<(String, Baseline<E, D>)>,
    /// By site.
    averages: IndexMap<String, Averages>,
}

impl<E: Dtype, D: Backend<E>> Default for TraceGraphElbo<E, D> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E: Dtype, D: Backend<E>> TraceGraphElbo<E, D> {
    /// One particle; the baseline of every scored site is a decaying average (0.9) of each plate element.
    pub fn new() -> Self {
        let baselines = vec![("*".to_owned(), Baseline::average(0.9))];
        TraceGraphElbo { num_particles: 1, baselines, averages: IndexMap::new() }
    }

    /// The average over several runs.
    ///
    /// # Panics
    /// If there are none.
    #[track_caller]
    pub fn with_particles(num_particles: u64) -> Self {
        assert!(num_particles > 0, "TraceGraphElbo needs at least one particle");
        TraceGraphElbo { num_particles, ..Self::new() }
    }

    /// Another baseline for the site of that full name, which every run must then draw and score, or for all
    /// scored sites whose name begins with it, where it ends in `*`. Of several that fit, the last given counts.
    #[must_use]
    pub fn baseline(mut self, site: impl Into<String>, baseline: Baseline<E, D>) -> Self {
        self.baselines.push((site.into(), baseline));
        self
    }

    fn baseline_of(&self, site: &str) -> &Kind<E, D> {
        self.baselines.iter().rev().find(|(pattern, _)| fits(pattern, site)).map_or(&Kind::None, |(_, kind)| &kind.0)
    }

    /// Whether the sites that baselines name are scored in this run.
    fn check(&self, pair: &Pair<E, D>) -> Result<(), Error> {
        for (site, _) in self.baselines.iter().filter(|(site, _)| !site.ends_with('*')) {
            let problem = match drawn(pair).find(|record| record.address.as_str() == site) {
                Some(record) if !record.has_rsample => continue,
                Some(record) => format!(
                    "it has a baseline, but draws of {} have pathwise gradients and are not scored; leave the baseline out",
                    record.distribution
                ),
                None => "it has a baseline, but the guide did not draw it in this run; correct the name, or end it in `*` for a site of some runs".into(),
            };
            return Err(Error::Site { site: site.clone(), problem });
        }
        Ok(())
    }

    /// The baseline of each plate element of a site, and, of a network, the tensor of them.
    fn predicted(
        &self,
        site: &SiteRecord<E, D>,
        count: usize,
        pair: &Pair<E, D>,
        runs: &mut dyn Runs<E, D>,
    ) -> Result<(Vec<f64>, Option<Tensor<(usize,), E, D>>), Error> {
        let name = site.address.as_str();
        let spread = |values: Vec<f64>| match values[..] {
            [one] => Ok(vec![one; count]),
            _ if values.len() == count => Ok(values),
            _ => {
                let problem = format!("its baseline has {} numbers for {count} plate elements", values.len());
                Err(Error::Site { site: name.to_owned(), problem })
            }
        };
        match self.baseline_of(name) {
            Kind::None => Ok((vec![0.0; count], None)),
            Kind::Average(_) => {
                let averages = self.averages.get(name).map_or(Cow::Owned(Averages::default()), Cow::Borrowed);
                Ok((averages.values(count), None))
            }
            Kind::Value(value) => Ok((spread(value(pair))?, None)),
            Kind::Network(network) => {
                let found = network(runs.params(), name, pair)?;
                let values = found.to_vec().into_iter().map(E::wide).collect();
                Ok((spread(values)?, Some(found)))
            }
        }
    }

    /// The score terms of one pair, whose gradient is to be followed upwards; their costs go to `costs`.
    fn scores(
        &self,
        pair: &Pair<E, D>,
        runs: &mut dyn Runs<E, D>,
        costs: &mut IndexMap<String, Vec<Vec<f64>>>,
    ) -> Result<Vec<Tensor<(), E, D>>, Error> {
        let downstream = Downstream::of(pair);
        let mut terms = Vec::new();
        for (place, site) in drawn(pair).enumerate().filter(|(_, site)| !site.has_rsample) {
            let Some(log_prob) = &site.elements else { continue };
            let cost = downstream.cost(place);
            let (baseline, network) = self.predicted(site, cost.len(), pair, runs)?;
            let weights = cost.iter().zip(&baseline).map(|(cost, baseline)| E::of(cost - baseline)).collect();
            terms.push((log_prob * Tensor::vector(weights)).sum_all());
            terms.extend(network.map(|found| -squared_error(found, &cost)));
            costs.entry(site.address.to_string()).or_default().push(cost);
        }
        Ok(terms)
    }

    /// Adds the costs of a step, averaged over its particles, to the averages that are baselines.
    fn remember(&mut self, costs: IndexMap<String, Vec<Vec<f64>>>) {
        for (site, particles) in costs {
            let Kind::Average(decay) = *self.baseline_of(&site) else { continue };
            let count = particles.len() as f64;
            let elements = particles[0].len();
            let mut mean = vec![0.0; elements];
            for cost in particles.iter().filter(|cost| cost.len() == elements) {
                mean.iter_mut().zip(cost).for_each(|(mean, cost)| *mean += cost / count);
            }
            self.averages.entry(site).or_default().add(decay, &mean);
        }
    }
}

/// The sum over plate elements of (prediction − cost)²; of one prediction for all, its square from their mean.
fn squared_error<E: Dtype, D: Backend<E>>(found: Tensor<(usize,), E, D>, cost: &[f64]) -> Tensor<(), E, D> {
    let targets = if found.numel() == cost.len() {
        cost.iter().map(|&cost| E::of(cost)).collect()
    } else {
        vec![E::of(cost.iter().sum::<f64>() / cost.len() as f64)]
    };
    (found - Tensor::vector(targets)).square().sum_all()
}

/// What is asked of the runs.
const ASK: Ask = Ask { detached: false, keep: Keep { elements: true, ..Keep::NOTHING } };

impl<E: Dtype, D: Backend<E>> Objective<E, D> for TraceGraphElbo<E, D> {
    fn surrogate(&mut self, runs: &mut dyn Runs<E, D>) -> Result<(f64, Tensor<(), E, D>), Error> {
        let count = self.num_particles.max(1);
        let (mut elbos, mut terms, mut costs) = (0.0, Vec::new(), IndexMap::new());
        for particle in 0..count {
            let pair = runs.pair(particle, ASK)?;
            elbos += finite_elbo(&pair)?;
            self.check(&pair)?;
            terms.push(pair.model.log_prob_sum());
            terms.extend(drawn(&pair).filter(|site| site.has_rsample).map(|site| -&site.log_prob));
            terms.extend(self.scores(&pair, runs, &mut costs)?);
        }
        self.remember(costs);
        Ok((-elbos / count as f64, total(terms) * E::of(-1.0 / count as f64)))
    }

    fn loss(&self, runs: &mut dyn Runs<E, D>) -> Result<f64, Error> {
        let count = self.num_particles.max(1);
        let mut elbos = 0.0;
        for particle in 0..count {
            elbos += finite_elbo(&runs.pair(particle, Ask::default())?)?;
        }
        Ok(-elbos / count as f64)
    }

    /// For each site with averages: the length of its name and the name's bytes, the number of averages, and
    /// sum and weight of each.
    fn state(&self) -> Vec<f64> {
        let mut state = Vec::new();
        for (site, averages) in &self.averages {
            state.push(site.len() as f64);
            state.extend(site.bytes().map(f64::from));
            state.push(averages.0.len() as f64);
            state.extend(averages.0.iter().flat_map(|average| [average.sum, average.weight]));
        }
        state
    }

    fn accepts(&self, state: &[f64]) -> bool {
        saved_averages(state).is_some()
    }

    fn set_state(&mut self, state: &[f64]) {
        self.averages.clear();
        for (site, numbers) in saved_averages(state).unwrap_or_default() {
            let Kind::Average(decay) = *self.baseline_of(&site) else { continue };
            let averages = numbers.chunks_exact(2).map(|pair| DecayingAverage { decay, sum: pair[0], weight: pair[1] });
            self.averages.insert(site, Averages(averages.collect()));
        }
    }
}

/// The sites of a saved state, with sums and weights; `None` where it is broken.
fn saved_averages(mut state: &[f64]) -> Option<Vec<(String, Vec<f64>)>> {
    let mut sites = Vec::new();
    while let Some((&len, rest)) = state.split_first() {
        let (name, rest) = rest.split_at_checked(len as usize)?;
        let (&count, rest) = rest.split_first()?;
        let (numbers, rest) = rest.split_at_checked((count as usize).checked_mul(2)?)?;
        let name = String::from_utf8(name.iter().map(|&byte| byte as u8).collect()).ok()?;
        sites.push((name, numbers.to_vec()));
        state = rest;
    }
    Some(sites)
}
