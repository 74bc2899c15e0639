//! The evidence lower bound with closed divergences where there are some.

use ppl_core::backend::Backend;
use ppl_core::distributions::closed_kl;
use ppl_core::plate::Frames;
use ppl_core::site::SiteKind;
use ppl_core::trace::{Keep, SiteRecord, Trace, sum, total};
use ppl_core::{Dtype, Error, Tensor};

use super::Objective;
use super::bound::drawn;
use super::decaying_average::DecayingAverage;
use crate::pair::{Ask, Pair};
use crate::runs::Runs;

/// The evidence lower bound, with the closed KL divergence of guide and model at every site whose two
/// distributions have one ([`closed_kl`]: families over numbers, categories, Dirichlet and normal vectors, and
/// `to_event` and `mask` of them), and with the difference of log-densities at the others. It has less variance than [`TraceElbo`](super::TraceElbo),
/// often much.
///
/// A divergence is in place of an average over the site's value. So nothing that either distribution depends on
/// may depend on that value: all latent sites before the site in the model must be before it in the guide, and
/// its plates must be the same. Else it is an error.
///
/// A guide and a model that mask a site differently, or scale it differently, are compared by draws.
///
/// Scored sites work as in [`TraceElbo`](super::TraceElbo). Reference: Kingma and Welling, *Auto-Encoding
/// Variational Bayes* (ICLR 2014), section 2.3; Pyro's `TraceMeanField_ELBO`.
#[derive(Clone, Debug)]
pub struct TraceMeanFieldElbo {
    /// How many runs are averaged, at least one; default 1.
    pub num_particles: u64,
    /// The baseline of scored sites; one of decay 1 is always 0.
    pub baseline: DecayingAverage,
}

impl Default for TraceMeanFieldElbo {
    fn default() -> Self {
        TraceMeanFieldElbo { num_particles: 1, baseline: DecayingAverage::default() }
    }
}

impl TraceMeanFieldElbo {
    /// The average over several runs.
    ///
    /// # Panics
    /// If there are none.
    #[track_caller]
    pub fn with_particles(num_particles: u64) -> Self {
        assert!(num_particles > 0, "TraceMeanFieldElbo needs at least one particle");
        TraceMeanFieldElbo { num_particles, ..Self::default() }
    }
}

/// What is asked of the runs.
const ASK: Ask = Ask { detached: false, keep: Keep { families: true, ..Keep::NOTHING } };

impl<E: Dtype, D: Backend<E>> Objective<E, D> for TraceMeanFieldElbo {
    fn surrogate(&mut self, runs: &mut dyn Runs<E, D>) -> Result<(f64, Tensor<(), E, D>), Error> {
        let (baseline, mut scored, mut terms) = (self.baseline.value(), false, Vec::new());
        let mut elbos = 0.0;
        for particle in 0..self.num_particles.max(1) {
            let pair = runs.pair(particle, ASK)?;
            let bound = Bound::of(&pair)?;
            elbos += bound.value;
            terms.push(bound.surrogate);
            let scores: Vec<_> =
                drawn(&pair).filter(|site| !site.has_rsample).map(|site| &site.log_prob / E::of(site.scale)).collect();
            if !scores.is_empty() {
                scored = true;
                terms.push(sum(scores.iter()) * E::of(bound.value - baseline));
            }
        }
        let count = self.num_particles.max(1) as f64;
        if scored {
            self.baseline.add(elbos / count);
        }
        Ok((-elbos / count, total(terms) * E::of(-1.0 / count)))
    }

    fn loss(&self, runs: &mut dyn Runs<E, D>) -> Result<f64, Error> {
        let count = self.num_particles.max(1);
        let mut elbos = 0.0;
        for particle in 0..count {
            elbos += Bound::of(&runs.pair(particle, ASK)?)?.value;
        }
        Ok(-elbos / count as f64)
    }

    fn state(&self) -> Vec<f64> {
        vec![self.baseline.sum, self.baseline.weight]
    }

    fn set_state(&mut self, state: &[f64]) {
        if let &[sum, weight] = state {
            self.baseline = DecayingAverage { sum, weight, ..self.baseline };
        }
    }
}

/// The bound of one pair: its value, and a tensor with its pathwise gradient.
struct Bound<E: Dtype, D: Backend<E>> {
    value: f64,
    surrogate: Tensor<(), E, D>,
}

impl<E: Dtype, D: Backend<E>> Bound<E, D> {
    fn of(pair: &Pair<E, D>) -> Result<Self, Error> {
        if let Some(problem) = pair.problem() {
            return Err(problem.clone());
        }
        let (mut value, mut terms) = (0.0, Vec::new());
        for site in pair.model.sites() {
            let Some(guided) = pair.guide.site(site.address.as_str()).filter(|_| site.is_latent()) else {
                value += site.log_prob.item().wide();
                terms.push(site.log_prob.clone());
                continue;
            };
            if let Some(kl) = divergence(guided, site) {
                check_mean_field(pair, guided, site)?;
                let kl = kl.sum_all() * E::of(site.scale);
                let found = kl.item().wide();
                if !found.is_finite() {
                    return Err(infinite(guided, site, found));
                }
                value -= found;
                terms.push(-kl);
            } else {
                value += site.log_prob.item().wide() - guided.log_prob.item().wide();
                terms.push(site.log_prob.clone());
                terms.extend(guided.has_rsample.then(|| -&guided.log_prob));
            }
        }
        for site in pair.guide.sites().filter(|site| site.kind == SiteKind::Auxiliary) {
            value -= site.log_prob.item().wide();
            terms.extend(site.has_rsample.then(|| -&site.log_prob));
        }
        Ok(Bound { value, surrogate: total(terms) })
    }
}

/// The closed divergence of each element at a site, where there is one.
fn divergence<E: Dtype, D: Backend<E>>(
    guide: &SiteRecord<E, D>,
    model: &SiteRecord<E, D>,
) -> Option<Tensor<(usize,), E, D>> {
    let (q, p) = (guide.family.as_ref()?, model.family.as_ref()?);
    let alike = q.mask == p.mask && (guide.scale - model.scale).abs() <= 1e-9 * model.scale;
    alike.then(|| closed_kl(q, p)).flatten()
}

/// Whether the average over the site's value can be taken on its own.
fn check_mean_field<E: Dtype, D: Backend<E>>(
    pair: &Pair<E, D>,
    guide: &SiteRecord<E, D>,
    model: &SiteRecord<E, D>,
) -> Result<(), Error> {
    let name = model.address.as_str();
    let wrong = |problem: String| Err(Error::Site { site: name.to_owned(), problem });
    let (ours, theirs) = (plates(&guide.frames), plates(&model.frames));
    if ours != theirs {
        return wrong(format!(
            "its closed divergence needs the same plates in guide and model, but it is in {ours:?} in the guide and in {theirs:?} in the model; put it in the same plates, or use TraceElbo"
        ));
    }
    let mut before =
        pair.model.sites().filter(|site| site.is_latent()).take_while(|site| site.address.as_str() != name);
    match before.find(|site| comes_after(&pair.guide, site.address.as_str(), name)) {
        Some(other) => wrong(format!(
            "mean-field is violated: the model samples it after `{other}`, on which it may depend, but the guide before it, so that `{other}` may depend on it; sample them in the guide in the model's order, or use TraceElbo",
            other = other.address.as_str()
        )),
        None => Ok(()),
    }
}

/// Whether the site `other` of a trace comes after the site `name`.
fn comes_after<E: Dtype, D: Backend<E>>(trace: &Trace<E, D>, other: &str, name: &str) -> bool {
    trace.sites().map(|site| site.address.as_str()).find(|&site| site == other || site == name) == Some(name)
}

fn plates(frames: &Frames) -> Vec<&str> {
    frames.iter().map(|frame| &*frame.name).collect()
}

fn infinite<E: Dtype, D: Backend<E>>(guide: &SiteRecord<E, D>, model: &SiteRecord<E, D>, found: f64) -> Error {
    let problem = format!(
        "the divergence of the guide's {} from the model's {} is {found}: where it is ∞, the guide has mass where the model has none; give the guide the model's support",
        guide.distribution, model.distribution
    );
    Error::Site { site: model.address.to_string(), problem }
}
