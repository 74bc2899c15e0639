//! Where a chain can begin: a position found site by site.

use ppl_core::backend::Backend;
use ppl_core::handler::Handler;
use ppl_core::rng::Rng;
use ppl_core::site::SampleSite;
use ppl_core::{Dtype, Error, Tensor};

use crate::target::{InitStrategy, uniform};

use super::handler::is_latent;

/// Gives latent sites initial values, and collects their unconstrained numbers. Discrete ones, which have none, are
/// drawn from the prior where no value was given.
pub(crate) struct Start<'h, E: Dtype, D: Backend<E>> {
    inner: &'h mut dyn Handler<E, D>,
    strategy: &'h InitStrategy,
    rng: &'h mut Rng,
    pub(crate) position: Vec<E>,
}

/// How far from 0 unconstrained numbers begin where no value was given.
const RADIUS: f64 = 2.0;

impl<'h, E: Dtype, D: Backend<E>> Start<'h, E, D> {
    pub(crate) fn new(inner: &'h mut dyn Handler<E, D>, strategy: &'h InitStrategy, rng: &'h mut Rng) -> Self {
        Start { inner, strategy, rng, position: Vec::new() }
    }

    fn begin(&mut self, site: &mut dyn SampleSite<E, D>) -> Result<(), Error> {
        if site.support().is_discrete() {
            return self.begin_discrete(site);
        }
        let numbers = match self.strategy {
            InitStrategy::Uniform(radius) => self.spread(site, *radius)?,
            InitStrategy::Values(values) => match values.get(site.name()) {
                Some(value) => {
                    site.set_value(value, "initial value")?;
                    site.unconstrained()?.to_vec()
                }
                None => self.spread(site, RADIUS)?,
            },
            InitStrategy::Prior => self.drawn(site)?,
            InitStrategy::Median(draws) => self.median(site, *draws)?,
        };
        site.set_unconstrained(&Tensor::vector(numbers.clone()))?;
        self.position.extend(numbers);
        Ok(())
    }

    fn begin_discrete(&mut self, site: &mut dyn SampleSite<E, D>) -> Result<(), Error> {
        if let InitStrategy::Values(values) = self.strategy
            && let Some(value) = values.get(site.name())
        {
            return site.set_value(value, "initial value");
        }
        site.draw(self.rng);
        Ok(())
    }

    fn spread(&mut self, site: &dyn SampleSite<E, D>, radius: f64) -> Result<Vec<E>, Error> {
        Ok((0..site.unconstrained_len()?).map(|_| E::of(uniform(radius, self.rng))).collect())
    }

    fn drawn(&mut self, site: &mut dyn SampleSite<E, D>) -> Result<Vec<E>, Error> {
        site.draw(self.rng);
        Ok(site.unconstrained()?.to_vec())
    }

    fn median(&mut self, site: &mut dyn SampleSite<E, D>, draws: usize) -> Result<Vec<E>, Error> {
        let all = (0..draws.max(1)).map(|_| self.drawn(site)).collect::<Result<Vec<_>, Error>>()?;
        let middle = |at: usize| {
            let mut numbers: Vec<f64> = all.iter().map(|draw| draw[at].wide()).collect();
            numbers.sort_by(f64::total_cmp);
            let half = numbers.len() / 2;
            let median = if numbers.len() % 2 == 1 { numbers[half] } else { 0.5 * (numbers[half - 1] + numbers[half]) };
            E::of(median)
        };
        Ok((0..all[0].len()).map(middle).collect())
    }
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for Start<'_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
        if is_latent(site) {
            let begun = self.begin(site);
            self.inner.context().check(begun);
        }
        self.inner.sample(site);
    }
}
