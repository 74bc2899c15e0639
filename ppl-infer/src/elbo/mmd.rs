//! Maximum mean discrepancy: the guide's draws beside the prior's, under a kernel.

use ppl_core::backend::Backend;
use ppl_core::trace::{Densities, Keep, SiteRecord, Trace, total};
use ppl_core::{Dtype, Error, Tensor};

use super::Objective;
use super::bound::check_pathwise;
use super::clouds::{Clouds, Origin};
use super::points::{along, check_finite, pathwise_numbers};
use crate::pair::Ask;
use crate::runs::Runs;

pub use super::clouds::LengthScale;

/// −E\[ln p(x | z)\] + λ Σ MMD²(q, p), the sum over latent sites: an evidence lower bound whose divergence of guide
/// from prior is the squared maximum mean discrepancy E k(z, z′) + E k(y, y′) − 2 E k(z, y), with z, z′ of the guide,
/// y, y′ of the prior, and k(z, y) = exp(−‖z − y‖² / (2 l²)). It asks for no density of guide or prior.
///
/// The discrepancy is of *aggregated* draws where a site is in plates: each of their elements is a draw, so the
/// mixture of the guide's distributions over data is held against the prior, and no single one of them
/// (InfoVAE, MMD-VAE). With [`Mmd::pooled`] off the whole value is one draw, as in Pyro.
///
/// It is estimated without bias over pairs of different runs, so it can be below 0; it needs at least two, and many
/// where sites are outside of plates. Of the median heuristic, see [`LengthScale`]. All draws must be pathwise: those of
/// the guide and the prior's of latent sites, whose own parameters learn too. Factors count with the data.
///
/// References: Gretton, Borgwardt, Rasch, Schölkopf and Smola, *A Kernel Two-Sample Test*, JMLR 13, 2012, lemma 6;
/// Zhao, Song and Ermon, *InfoVAE: Balancing Learning and Inference in Variational Autoencoders* (AAAI 2019); Pyro's
/// `Trace_MMD`.
#[derive(Clone, Debug)]
pub struct Mmd {
    /// The kernel's length scale l; default by the median of distances.
    pub length_scale: LengthScale,
    /// The weight λ of the discrepancy, at least 0; default 1. The log-likelihood is of all data, so λ of their
    /// number keeps the balance for data of any size.
    pub mmd_scale: f64,
    /// How many runs there are of the guide, and of the prior; at least two, default 10.
    pub num_particles: u64,
    /// Whether each element of the plates around a site is a draw of its own; default yes.
    pub pooled: bool,
}

impl Default for Mmd {
    fn default() -> Self {
        Mmd { length_scale: LengthScale::default(), mmd_scale: 1.0, num_particles: 10, pooled: true }
    }
}

impl Mmd {
    /// The discrepancy of so many runs, weighed by 1.
    ///
    /// # Panics
    /// If there are fewer than two.
    #[track_caller]
    pub fn with_particles(num_particles: u64) -> Self {
        let objective = Mmd { num_particles, ..Self::default() };
        objective.check();
        objective
    }

    #[track_caller]
    fn check(&self) {
        let Mmd { mmd_scale, num_particles, .. } = *self;
        assert!(num_particles > 1, "Mmd compares runs, and needs at least two, but has {num_particles}");
        assert!(
            mmd_scale >= 0.0 && mmd_scale.is_finite(),
            "the scale of Mmd is finite and at least 0, but it is {mmd_scale}"
        );
        self.length_scale.check();
    }

    /// The log-likelihood, averaged, and the traces of the model under the guide and, after them, under the prior.
    fn run<E: Dtype, D: Backend<E>>(&self, runs: &mut dyn Runs<E, D>) -> Result<Drawn<E, D>, Error> {
        self.check();
        let keep = Keep { numbers: true, densities: Densities::Given, ..Keep::NOTHING };
        let (mut likelihoods, mut traces) = (Vec::new(), Vec::new());
        for particle in 0..self.num_particles {
            let pair = runs.pair(particle, Ask { keep, ..Ask::default() })?;
            if let Some(problem) = pair.problem() {
                return Err(problem.clone());
            }
            check_pathwise(&pair, WHAT, REMEDY)?;
            likelihoods.push(pair.model.log_prob_sum());
            traces.push((Origin::Guide, pair.model));
        }
        for particle in 0..self.num_particles {
            let keep = Keep { densities: Densities::None, ..keep };
            // Numbers after those of the guide's runs, so that the prior's have randomness of their own.
            traces.push((Origin::Prior, runs.prior(self.num_particles + particle, keep)?));
        }
        traces.iter().try_for_each(|(_, trace)| self.check_same(&traces[0].1, trace))?;
        Ok(Drawn { log_likelihood: total(likelihoods) * E::of(1.0 / self.num_particles as f64), traces })
    }

    /// The draws of a latent site in all traces.
    fn clouds<E: Dtype, D: Backend<E>>(&self, site: &str, drawn: &Drawn<E, D>) -> Result<Clouds, Error> {
        let mut clouds = Clouds::default();
        for (origin, trace) in &drawn.traces {
            let Some(site) = trace.site(site) else { continue };
            let numbers = pathwise_numbers(site, WHAT, REMEDY)?;
            let values: Vec<f64> = numbers.values.read(|values| values.iter().map(|x| x.wide()).collect());
            check_finite(site.address.as_str(), "a draw", &values, |at| numbers.count_at(at))?;
            clouds.add(*origin, self.draws(site), &values, |at| numbers.count_at(at));
        }
        Ok(clouds)
    }

    /// How many draws a site's value is.
    fn draws<E: Dtype, D: Backend<E>>(&self, site: &SiteRecord<E, D>) -> usize {
        let plates = site.frames.iter().filter(|frame| self.pooled && !frame.is_loop);
        plates.map(|frame| frame.len).product()
    }

    /// That two runs have the same latent sites, with draws of the same size.
    fn check_same<E: Dtype, D: Backend<E>>(&self, first: &Trace<E, D>, other: &Trace<E, D>) -> Result<(), Error> {
        let width = |site: &SiteRecord<E, D>| site.value.dims().iter().product::<usize>() / self.draws(site).max(1);
        let fits = |site: &SiteRecord<E, D>, trace: &Trace<E, D>| {
            trace.site(site.address.as_str()).is_some_and(|found| found.is_latent() && width(found) == width(site))
        };
        let missing = latent(first).find(|site| !fits(site, other));
        let Some(site) = missing.or_else(|| latent(other).find(|site| !fits(site, first))) else { return Ok(()) };
        let problem = "all runs of guide and prior must draw it alike for Mmd, but it is not in every run, or not of one size; use TraceElbo";
        Err(Error::Site { site: site.address.to_string(), problem: problem.into() })
    }
}

impl<E: Dtype, D: Backend<E>> Objective<E, D> for Mmd {
    fn surrogate(&mut self, runs: &mut dyn Runs<E, D>) -> Result<(f64, Tensor<(), E, D>), Error> {
        let drawn = self.run(runs)?;
        let mut loss = -drawn.log_likelihood.item().wide();
        let mut terms = vec![-drawn.log_likelihood.clone()];
        for name in drawn.sites() {
            let clouds = self.clouds(name, &drawn)?;
            let (discrepancy, slopes) = clouds.discrepancy(self.length_scale);
            loss += self.mmd_scale * discrepancy;
            let numbers = drawn.traces.iter().filter_map(|(_, trace)| trace.site(name)?.numbers.as_ref());
            for (numbers, slopes) in numbers.zip(clouds.by_run(&slopes)) {
                terms.push(along(numbers, slopes.into_iter().map(|slope| self.mmd_scale * slope).collect()));
            }
        }
        Ok((loss, total(terms)))
    }

    fn loss(&self, runs: &mut dyn Runs<E, D>) -> Result<f64, Error> {
        let drawn = self.run(runs)?;
        let mut loss = -drawn.log_likelihood.item().wide();
        for name in drawn.sites() {
            loss += self.mmd_scale * self.clouds(name, &drawn)?.discrepancy(self.length_scale).0;
        }
        Ok(loss)
    }
}

const WHAT: &str = "Mmd";
const REMEDY: &str = "use TraceElbo";

/// What was drawn in a step.
struct Drawn<E: Dtype, D: Backend<E>> {
    log_likelihood: Tensor<(), E, D>,
    traces: Vec<(Origin, Trace<E, D>)>,
}

impl<E: Dtype, D: Backend<E>> Drawn<E, D> {
    /// The latent sites, which are those of every trace.
    fn sites(&self) -> impl Iterator<Item = &str> {
        self.traces.first().into_iter().flat_map(|(_, trace)| latent(trace)).map(|site| site.address.as_str())
    }
}

fn latent<E: Dtype, D: Backend<E>>(trace: &Trace<E, D>) -> impl Iterator<Item = &SiteRecord<E, D>> {
    trace.sites().filter(|site| site.is_latent())
}
