//! Importance sampling as a user would write it: a handler that adds up the log-density of each sequence.

use std::collections::BTreeMap;

use ppl::autodiff::no_grad;
use ppl::handler::Handler;
use ppl::handlers::{Params, Prior, Replay, Tracer};
use ppl::prelude64::*;
use ppl::rng::Rng;
use ppl::site::SampleSite;

use crate::batch::Batch;
use crate::chain::{Given, chain};

/// What each element of the plate adds to the log-density, by site.
pub(crate) type BySite = BTreeMap<String, Vec<f64>>;

/// Keeps the terms of all sites that pass.
struct Terms<'h> {
    inner: &'h mut dyn Handler<f64, Cpu>,
    sites: BySite,
}

impl<'h> Terms<'h> {
    fn new(inner: &'h mut dyn Handler<f64, Cpu>) -> Self {
        Terms { inner, sites: BySite::new() }
    }
}

impl Handler<f64, Cpu> for Terms<'_> {
    fn inner(&mut self) -> &mut dyn Handler<f64, Cpu> {
        self.inner
    }

    fn sample(&mut self, site: &mut dyn SampleSite<f64, Cpu>) {
        self.inner.sample(site);
        let terms = (site.log_prob_elements() * site.state().scale).to_vec();
        self.sites.insert(site.name().to_owned(), terms);
    }
}

/// What one run of guide and model gives.
pub(crate) struct Run {
    /// The model's terms.
    pub(crate) log_p: BySite,
    /// The guide's terms.
    pub(crate) log_q: BySite,
    /// What the guide drew.
    pub(crate) drawn: Trace<f64, Cpu>,
}

impl Run {
    /// ln p(x, z) − ln q(z) of each sequence.
    pub(crate) fn log_weights(&self) -> Vec<f64> {
        let sum = |i: usize, of: &BySite| of.values().map(|terms| terms[i]).sum::<f64>();
        let n = self.log_q.values().next().map_or(0, Vec::len);
        (0..n).map(|i| sum(i, &self.log_p) - sum(i, &self.log_q)).collect()
    }
}

/// Runs the guide and then the model at what it drew.
pub(crate) fn weigh<'a, G>(
    guide: &G,
    args: (&'a Batch, &'a Given, f64),
    params: &mut ParamStore<f64, Cpu>,
    seed: u64,
) -> Run
where
    G: Model<(&'a Batch, &'a Given, f64), E = f64, D = Cpu>,
{
    no_grad(|| {
        let mut prior = Prior::new(Rng::seed(seed));
        let mut params = Params::new(params, &mut prior);
        let mut tracer = Tracer::new(&mut params);
        let mut terms = Terms::new(&mut tracer);
        guide.run(&mut terms, args);
        let log_q = terms.sites;
        let drawn = tracer.into_trace();

        let mut replay = Replay::new(&drawn, &mut params);
        let mut terms = Terms::new(&mut replay);
        chain.run(&mut terms, args);
        let log_p = terms.sites;
        params.context().finish(()).expect("a run without mistakes");
        Run { log_p, log_q, drawn }
    })
}

/// The values of a site of the guide.
pub(crate) fn values(trace: &Trace<f64, Cpu>, t: usize) -> Tensor<(usize, usize)> {
    trace.value::<Tensor<(usize, usize)>>(&format!("z_{t}")).expect("a site of the guide").clone()
}
