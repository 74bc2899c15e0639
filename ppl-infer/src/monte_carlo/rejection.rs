//! Rejection: draws of the prior that are kept with the probability that the data give them, which are exact draws of the
//! posterior.

use ppl_core::Dtype;
use ppl_core::backend::Backend;
use ppl_core::model::{IntoArgs, Model};
use ppl_core::params::ParamStore;
use ppl_core::rng::Rng;
use ppl_core::shared::Shared;
use ppl_core::site::SiteKind;
use ppl_core::trace::Trace;
use rand::Rng as _;

use super::blocks::each;
use super::error::MonteCarloError;
use super::weighted_run::{Setting, WeightedRun};
use super::weights::Estimate;

/// Exact draws of a model's posterior, by drawing from the prior until the data come out: an attempt is accepted with the
/// probability likelihood / bound.
///
/// The bound is 1 unless [`log_bound`](Rejection::log_bound) says otherwise: right for data that are discrete, and for
/// conditions, factors that are 0 or −∞. An attempt above the bound is an error. Each attempt has a random stream of the
/// seed of its own, and the first accepted ones are taken, whatever the number of threads.
#[derive(Clone, Debug)]
pub struct Rejection<M, A, E: Dtype, D: Backend<E>> {
    model: M,
    args: A,
    params: ParamStore<E, D>,
    draws: usize,
    budget: u64,
    log_bound: f64,
    seed: u64,
    validate: bool,
}

/// Draws that rejection accepted: independent, of equal weight.
#[derive(Clone, Debug)]
pub struct Accepted<T> {
    traces: Vec<T>,
    attempts: u64,
    log_bound: f64,
}

impl<T> Accepted<T> {
    /// The draws.
    pub fn traces(&self) -> &[T] {
        &self.traces
    }

    /// How many attempts it took, up to the last accepted one.
    pub fn attempts(&self) -> u64 {
        self.attempts
    }

    /// The probability of acceptance, unbiased: (k − 1) / (n − 1) where the k-th acceptance came at attempt n. NaN for
    /// fewer than two draws. Haldane, *On a Method of Estimating Frequencies* (1945).
    pub fn acceptance(&self) -> Estimate {
        let (k, n) = (self.traces.len() as f64, self.attempts as f64);
        let mean = if k > 1.0 { (k - 1.0) / (n - 1.0) } else { f64::NAN };
        Estimate { mean, standard_error: (mean * (1.0 - mean) / (n - 2.0).max(1.0)).sqrt() }
    }

    /// The log-evidence: the bound times the probability of acceptance.
    pub fn log_evidence(&self) -> Estimate {
        let Estimate { mean, standard_error } = self.acceptance();
        Estimate { mean: self.log_bound + mean.ln(), standard_error: standard_error / mean }
    }

    /// The posterior mean of a function of a draw.
    pub fn expectation(&self, f: impl FnMut(&T) -> f64) -> Estimate {
        let numbers: Vec<f64> = self.traces.iter().map(f).collect();
        let n = numbers.len() as f64;
        let mean = numbers.iter().sum::<f64>() / n;
        let variance = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
        Estimate { mean, standard_error: (variance / n).sqrt() }
    }
}

/// How many attempts are made between two looks at how many were accepted.
const ROUND: u64 = 1024;

impl<M, A, E, D> Rejection<M, A, E, D>
where
    M: Model<A, E = E, D = D>,
    E: Dtype,
    D: Backend<E>,
{
    /// 1000 draws of a model with these arguments, in at most 1,000,000 attempts.
    pub fn new(model: M, args: impl IntoArgs<Args = A>) -> Self {
        Rejection {
            model,
            args: args.into_args(),
            params: ParamStore::new(0),
            draws: 1000,
            budget: 1_000_000,
            log_bound: 0.0,
            seed: 0,
            validate: cfg!(debug_assertions),
        }
    }

    /// How many draws are accepted; 1000 without it.
    #[must_use]
    pub fn draws(mut self, draws: usize) -> Self {
        self.draws = draws;
        self
    }

    /// How many attempts there may be; 1,000,000 without it.
    #[must_use]
    pub fn budget(mut self, attempts: u64) -> Self {
        self.budget = attempts;
        self
    }

    /// What the log-likelihood, with all factors, never exceeds; 0 without it. The lower, the more is accepted.
    #[must_use]
    pub fn log_bound(mut self, log_bound: f64) -> Self {
        self.log_bound = log_bound;
        self
    }

    /// The seed of what is drawn; 0 without it.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The model's parameters; without a store they have their initial values from seed 0.
    #[must_use]
    pub fn with_params(mut self, params: ParamStore<E, D>) -> Self {
        self.params = params;
        self
    }

    /// Whether distributions' parameters are checked at every site; by default in debug builds.
    #[must_use]
    pub fn validate(mut self, validate: bool) -> Self {
        self.validate = validate;
        self
    }

    /// Makes attempts until enough are accepted.
    ///
    /// # Errors
    /// The first error of a run; an attempt above the bound; a budget that is spent.
    pub fn run(&self) -> Result<Accepted<M::Trace>, MonteCarloError>
    where
        A: Clone + Shared,
        M::Trace: Shared,
    {
        let (mut traces, mut attempts) = (Vec::with_capacity(self.draws), 0);
        while traces.len() < self.draws && attempts < self.budget {
            let round = attempts..(attempts + ROUND).min(self.budget);
            for attempt in self.attempts(round)? {
                attempts += 1;
                traces.extend(attempt);
                if traces.len() == self.draws {
                    break;
                }
            }
        }
        if traces.len() < self.draws {
            return Err(MonteCarloError::Budget { accepted: traces.len(), wanted: self.draws, attempts });
        }
        Ok(Accepted { traces, attempts, log_bound: self.log_bound })
    }

    fn attempts(&self, round: std::ops::Range<u64>) -> Result<Vec<Option<M::Trace>>, MonteCarloError>
    where
        A: Clone + Shared,
        M::Trace: Shared,
    {
        let (model, args, seed, validate, log_bound) =
            (&self.model, &self.args, self.seed, self.validate, self.log_bound);
        let tried = each(round.start as usize..round.end as usize, None, &self.params, |params, attempt| {
            let mut rng = Rng::stream(seed, attempt as u64);
            let level: f64 = rng.gen_range(0.0..1.0);
            let setting = Setting { params, rng, validate, given: None };
            let run = WeightedRun::from_prior(model, args.clone(), setting)?;
            // Rounding is no exceedance.
            if run.log_weight > log_bound + 1e-9 * log_bound.abs().max(1.0) {
                return Ok(Attempt::Above(run.log_weight, likeliest(&run.trace)));
            }
            let accepted = level < (run.log_weight - log_bound).exp();
            Ok(Attempt::Within(accepted.then(|| run.trace.typed()).transpose()?))
        })?;
        let of = |(attempt, tried)| match tried {
            Attempt::Within(accepted) => Ok(accepted),
            Attempt::Above(log_likelihood, site) => {
                Err(MonteCarloError::Bound { attempt, log_likelihood, log_bound, site })
            }
        };
        round.zip(tried).map(of).collect()
    }
}

enum Attempt<T> {
    Within(Option<T>),
    Above(f64, String),
}

/// The observed site, or the factor, with the greatest log-density.
fn likeliest<E: Dtype, D: Backend<E>>(trace: &Trace<E, D>) -> String {
    let weighs = trace.sites().filter(|site| site.observed || site.kind == SiteKind::Factor);
    let greatest = weighs.max_by(|a, b| a.log_prob.item().wide().total_cmp(&b.log_prob.item().wide()));
    greatest.map_or_else(String::new, |site| site.address.to_string())
}
