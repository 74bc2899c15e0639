//! The energy distance of data from what the model says of them under the guide.

use ppl_core::backend::Backend;
use ppl_core::site::SiteKind;
use ppl_core::trace::{Densities, Keep, SiteRecord, sum, total};
use ppl_core::{Dtype, Error, Tensor};

use super::Objective;
use super::bound::check_pathwise;
use super::points::{along, check_finite, pathwise_numbers, square};
use crate::pair::Replica;
use crate::runs::Runs;

/// The energy distance of the data x from draws X of the observations under the guide,
/// E‖X − x‖^β − ½ E‖X − X′‖^β − λ E\[ln p(Z)\], where X and X′ are drawn at independent values Z of the guide. All
/// observed sites together are one vector. As a score it is proper: the first two terms have their least mean over
/// data where draws are distributed as data are, strictly so where the mean of ‖X‖^β is finite.
///
/// No density of the data is asked for, so a likelihood needs only draws, and few data far from all others pull
/// less than they do on a density. All draws must be pathwise: those of the guide and of observed sites. The latent
/// prior counts through λ alone; without it nothing draws the guide towards the prior.
///
/// In a plate of which some rows are in a step, all runs have the same rows, and squares of differences are scaled
/// as densities are; numbers that a mask leaves out have no part. A model that observes nothing, or has factors, is
/// an error. Both expectations are estimated without bias: over runs, and over pairs of them.
///
/// References: Székely and Rizzo, *Energy statistics: A class of statistics based on distances*, Journal of
/// Statistical Planning and Inference 143, 2013; Gneiting and Raftery, *Strictly Proper Scoring Rules, Prediction,
/// and Estimation*, JASA 102, 2007, section 4.3; Pyro's `EnergyDistance`.
#[derive(Clone, Debug)]
pub struct EnergyDistance {
    /// The power β, within (0, 2); default 1. Smaller ones suit heavier tails.
    pub beta: f64,
    /// The weight λ of the latent sites' log-density, at least 0; default 0, which computes no density at all.
    pub prior_scale: f64,
    /// How many runs there are, at least two; default 2.
    pub num_particles: u64,
}

impl Default for EnergyDistance {
    fn default() -> Self {
        EnergyDistance { beta: 1.0, prior_scale: 0.0, num_particles: 2 }
    }
}

impl EnergyDistance {
    /// The distance of power 1 from so many runs.
    ///
    /// # Panics
    /// If there are fewer than two.
    #[track_caller]
    pub fn with_particles(num_particles: u64) -> Self {
        let objective = EnergyDistance { num_particles, ..Self::default() };
        objective.check();
        objective
    }

    #[track_caller]
    fn check(&self) {
        let EnergyDistance { beta, prior_scale, num_particles } = *self;
        assert!(num_particles > 1, "EnergyDistance compares runs, and needs at least two, but has {num_particles}");
        assert!(beta > 0.0 && beta < 2.0, "the power β of EnergyDistance is within (0, 2), but it is {beta}");
        assert!(
            prior_scale >= 0.0 && prior_scale.is_finite(),
            "the prior's scale in EnergyDistance is finite and at least 0, but it is {prior_scale}"
        );
    }

    fn replicas<E: Dtype, D: Backend<E>>(&self, runs: &mut dyn Runs<E, D>) -> Result<Vec<Replica<E, D>>, Error> {
        self.check();
        let densities = if self.prior_scale > 0.0 { Densities::Latent } else { Densities::None };
        let replicas = runs.replicas(self.num_particles, Keep { numbers: true, densities, ..Keep::NOTHING })?;
        replicas.iter().try_for_each(check)?;
        Ok(replicas)
    }

    /// The latent sites' log-density, averaged.
    fn log_prior<E: Dtype, D: Backend<E>>(&self, replicas: &[Replica<E, D>]) -> Tensor<(), E, D> {
        let latent = |replica: &Replica<E, D>| sum(replica.pair.model.sites().map(|site| &site.log_prob));
        total(replicas.iter().map(latent)) * E::of(1.0 / replicas.len() as f64)
    }

    /// The distance and its slopes in each point that was drawn.
    fn energy(&self, points: &[Point]) -> (f64, Vec<Vec<f64>>) {
        let (count, pairs) = (points.len() as f64, (points.len() * (points.len() - 1) / 2) as f64);
        let (mut energy, mut slopes) = (0.0, Vec::new());
        for Point { drawn, data } in points {
            let (power, slope) = self.power(square(drawn, data));
            energy += power / count;
            slopes.push(drawn.iter().zip(data).map(|(x, y)| slope / count * (x - y)).collect::<Vec<_>>());
        }
        for i in 0..points.len() {
            for j in 0..i {
                let (x, y) = (&points[i].drawn, &points[j].drawn);
                let (power, slope) = self.power(square(x, y));
                energy -= 0.5 * power / pairs;
                for (at, (x, y)) in x.iter().zip(y).enumerate() {
                    let slope = 0.5 * slope / pairs * (x - y);
                    slopes[i][at] -= slope;
                    slopes[j][at] += slope;
                }
            }
        }
        (energy, slopes)
    }

    /// r^β of r², and what a difference is multiplied by to give its slope: β r^(β − 2), taken as 0 at 0.
    fn power(&self, square: f64) -> (f64, f64) {
        let power = square.powf(0.5 * self.beta);
        (power, if square > 0.0 { self.beta * power / square } else { 0.0 })
    }
}

impl<E: Dtype, D: Backend<E>> Objective<E, D> for EnergyDistance {
    fn surrogate(&mut self, runs: &mut dyn Runs<E, D>) -> Result<(f64, Tensor<(), E, D>), Error> {
        let replicas = self.replicas(runs)?;
        let (mut loss, slopes) = self.energy(&points(&replicas)?);
        let mut terms = Vec::new();
        for (replica, slopes) in replicas.iter().zip(slopes) {
            let mut slopes = slopes.into_iter();
            for site in observed(replica) {
                let numbers = pathwise_numbers(site, WHAT, REMEDY)?;
                let root = site.scale.sqrt();
                let own = slopes.by_ref().take(numbers.values.numel()).enumerate();
                let own = own.map(|(at, slope)| if numbers.count_at(at) { root * slope } else { 0.0 }).collect();
                terms.push(along(numbers, own));
            }
        }
        if self.prior_scale > 0.0 {
            let prior = self.log_prior(&replicas) * E::of(-self.prior_scale);
            loss += prior.item().wide();
            terms.push(prior);
        }
        Ok((loss, total(terms)))
    }

    fn loss(&self, runs: &mut dyn Runs<E, D>) -> Result<f64, Error> {
        let replicas = self.replicas(runs)?;
        let (mut loss, _) = self.energy(&points(&replicas)?);
        if self.prior_scale > 0.0 {
            loss -= self.prior_scale * self.log_prior(&replicas).item().wide();
        }
        Ok(loss)
    }
}

const WHAT: &str = "EnergyDistance";
const REMEDY: &str = "use TraceElbo";

/// What was drawn in a run and what was observed: the numbers of all observed sites, times the root of their scale,
/// and 0 where a mask leaves them out. The distances of such points are those of the objective.
struct Point {
    drawn: Vec<f64>,
    data: Vec<f64>,
}

/// A point of each run, all of the same sites.
fn points<E: Dtype, D: Backend<E>>(replicas: &[Replica<E, D>]) -> Result<Vec<Point>, Error> {
    replicas.iter().try_for_each(|replica| check_same(&replicas[0], replica))?;
    replicas.iter().map(point).collect()
}

fn point<E: Dtype, D: Backend<E>>(replica: &Replica<E, D>) -> Result<Point, Error> {
    let mut point = Point { drawn: Vec::new(), data: Vec::new() };
    for site in observed(replica) {
        let (name, numbers) = (site.address.as_str(), pathwise_numbers(site, WHAT, REMEDY)?);
        let data = replica.data.get(name).and_then(|data| data.to_f64s()).unwrap_or_default();
        let drawn: Vec<f64> = numbers.values.read(|values| values.iter().map(|x| x.wide()).collect());
        check_finite(name, "what was observed", &data, |at| numbers.count_at(at))?;
        check_finite(name, "a draw", &drawn, |at| numbers.count_at(at))?;
        let root = site.scale.sqrt();
        let weighed = |(at, x): (usize, f64)| if numbers.count_at(at) { root * x } else { 0.0 };
        point.data.extend(data.into_iter().enumerate().map(weighed));
        point.drawn.extend(drawn.into_iter().enumerate().map(weighed));
    }
    Ok(point)
}

/// The sites whose data were drawn.
fn observed<E: Dtype, D: Backend<E>>(replica: &Replica<E, D>) -> impl Iterator<Item = &SiteRecord<E, D>> {
    replica.pair.model.sites().filter(|site| site.observed)
}

fn problem<E: Dtype, D: Backend<E>>(site: &SiteRecord<E, D>, problem: &str) -> Error {
    Error::Site { site: site.address.to_string(), problem: problem.to_owned() }
}

/// What must hold of a run.
fn check<E: Dtype, D: Backend<E>>(replica: &Replica<E, D>) -> Result<(), Error> {
    if let Some(problem) = replica.pair.problem() {
        return Err(problem.clone());
    }
    check_pathwise(&replica.pair, WHAT, REMEDY)?;
    if let Some(factor) = replica.pair.model.sites().find(|site| site.kind == SiteKind::Factor) {
        let text = "EnergyDistance compares draws with data, and a factor weighs a density alone; use TraceElbo";
        return Err(problem(factor, text));
    }
    Ok(())
}

/// That two runs observed the same sites, of the same sizes.
fn check_same<E: Dtype, D: Backend<E>>(first: &Replica<E, D>, other: &Replica<E, D>) -> Result<(), Error> {
    let text = "its runs must observe the same numbers for EnergyDistance, but it is not in every run, or not of one size; use TraceElbo";
    let (mut ours, mut theirs) = (observed(first), observed(other));
    loop {
        match (ours.next(), theirs.next()) {
            (None, None) => return Ok(()),
            (Some(a), Some(b)) if a.address == b.address && a.value.dims() == b.value.dims() => {}
            (Some(site), _) | (None, Some(site)) => return Err(problem(site, text)),
        }
    }
}
