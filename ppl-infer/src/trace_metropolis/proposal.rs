//! A run of the model that reuses the values of another.

use indexmap::IndexMap;
use ppl_core::backend::Backend;
use ppl_core::constraint::Support;
use ppl_core::handler::Handler;
use ppl_core::plate::{Plate, PlateRows};
use ppl_core::site::SampleSite;
use ppl_core::values::AnyValue;
use ppl_core::{Dtype, Error, Tensor};
use rand::Rng as _;
use rand_distr::StandardNormal;

use crate::drawn::log_density_of_draw;

/// Sites that move by normal steps in unconstrained space.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    /// A name, or the pattern of a family.
    pub(super) name: String,
    /// The standard deviation.
    pub(super) size: f64,
}

impl Walk {
    fn is_of<E: Dtype, D: Backend<E>>(&self, site: &dyn SampleSite<E, D>) -> bool {
        let address = &site.state().address;
        self.name == address.as_str() || self.name == address.pattern()
    }
}

/// A latent site of a run.
#[derive(Clone, Debug)]
pub(super) struct Latent<E: Dtype, D: Backend<E>> {
    value: Box<dyn AnyValue>,
    distribution: &'static str,
    dims: Vec<usize>,
    support: Support<E, D>,
    /// ln of the density with which its distribution draws the value.
    drawn: f64,
}

impl<E: Dtype, D: Backend<E>> Latent<E, D> {
    /// Whether a site has the same values as this one. It does not depend on which value either has, so that the way back reuses
    /// what the way there did.
    fn fits(&self, site: &dyn SampleSite<E, D>) -> bool {
        self.distribution == site.distribution()
            && self.dims == site.value_dims()
            && self.support.describe() == site.support().describe()
    }
}

/// The latent sites of a run, by name, that can move.
pub(super) type Latents<E, D> = IndexMap<String, Latent<E, D>>;

/// Gives sites the values that they had in another run, but for the chosen one.
pub(super) struct Proposal<'h, E: Dtype, D: Backend<E>> {
    inner: &'h mut dyn Handler<E, D>,
    old: &'h Latents<E, D>,
    chosen: Option<(usize, &'h [Walk])>,
    new: Latents<E, D>,
    /// Which of the old sites were reused, or moved.
    used: Vec<bool>,
    /// ln of the density of the way back over that of the way here.
    log_ratio: f64,
}

impl<'h, E: Dtype, D: Backend<E>> Proposal<'h, E, D> {
    pub(super) fn new(
        old: &'h Latents<E, D>,
        chosen: Option<(usize, &'h [Walk])>,
        inner: &'h mut dyn Handler<E, D>,
    ) -> Self {
        let (new, used) = (IndexMap::with_capacity(old.len()), vec![false; old.len()]);
        Proposal { inner, old, chosen, new, used, log_ratio: 0.0 }
    }

    /// The latent sites, and ln of the density of the way back over that of the way here.
    pub(super) fn end(self) -> (Latents<E, D>, f64) {
        let dropped = self.old.values().zip(&self.used).filter(|(_, used)| !**used);
        let log_ratio = self.log_ratio + dropped.map(|(latent, _)| latent.drawn).sum::<f64>();
        (self.new, log_ratio)
    }

    /// Gives the site its value.
    fn set(&mut self, site: &mut dyn SampleSite<E, D>) -> Result<(), Error> {
        let old = self.old.get_full(site.name()).filter(|(_, _, latent)| latent.fits(site));
        let Some((number, _, latent)) = old else {
            self.draw(site);
            return Ok(());
        };
        match self.chosen.filter(|(chosen, _)| *chosen == number) {
            None => {
                self.used[number] = true;
                site.set_value(&*latent.value, "reuse")
            }
            Some((_, walks)) => match walks.iter().find(|walk| walk.is_of(site)) {
                Some(walk) => {
                    self.used[number] = true;
                    site.set_value(&*latent.value, "reuse")?;
                    self.walk(site, walk.size)
                }
                // The old value counts as dropped: its distribution is the same, as all before it is.
                None => {
                    self.draw(site);
                    Ok(())
                }
            },
        }
    }

    fn draw(&mut self, site: &mut dyn SampleSite<E, D>) {
        site.draw(&mut self.inner.context().rng);
        self.log_ratio -= log_density_of_draw(site);
    }

    fn walk(&mut self, site: &mut dyn SampleSite<E, D>, size: f64) -> Result<(), Error> {
        let start = site.unconstrained()?;
        let of = |log_det: Option<Tensor<(), E, D>>| log_det.map_or(0.0, |log_det| log_det.item().wide());
        let before = of(site.set_unconstrained(&start)?);
        let rng = &mut self.inner.context().rng;
        let moved = start.to_vec().into_iter().map(|x| {
            let step: f64 = rng.sample(StandardNormal);
            E::of(x.wide() + size * step)
        });
        let after = of(site.set_unconstrained(&Tensor::vector(moved.collect()))?);
        self.log_ratio += after - before;
        Ok(())
    }

    fn keep(&mut self, site: &mut dyn SampleSite<E, D>) {
        let drawn = log_density_of_draw(site);
        if let Some(value) = site.value() {
            let latent = Latent {
                value: value.boxed(),
                distribution: site.distribution(),
                dims: site.value_dims(),
                support: site.support(),
                drawn,
            };
            self.new.insert(site.name().to_owned(), latent);
        }
    }
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for Proposal<'_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
        if !site.has_value() && site.state().is_random() {
            let set = self.set(site);
            self.inner.context().check(set);
            self.keep(site);
        }
        self.inner.sample(site);
    }

    fn enter_plate(&mut self, plate: &mut Plate) {
        if let (PlateRows::Subsample(_), None) = (&plate.ask, &plate.rows) {
            let problem =
                "it draws a subsample, so that every run has another posterior; fix its rows with `subsample`";
            self.inner.context().report(Error::Plate { plate: plate.address.to_string(), problem: problem.into() });
        }
        self.inner.enter_plate(plate);
    }
}
