//! Gives all latent sites their values by way of one vector, through a trained flow: neural transport.

use crate::address::Address;
use crate::backend::Backend;
use crate::distribution::Distribution;
use crate::distributions::{Normal, Unit};
use crate::dtype::Dtype;
use crate::error::Error;
use crate::handler::Handler;
use crate::params::{ErasedModule, Module};
use crate::site::{HasBase, SampleSite, SiteKind, SiteState, TypedSite};
use crate::tensor::Tensor;
use crate::trace::sum;
use crate::transform::{Flat, Map, Transform};
use dfdx::shapes::Axis;
use std::sync::Arc;

use super::Effect;

/// The latent vector.
const BASE: &str = "neutra_base";
/// The factor with all Jacobians.
const LOG_DET: &str = "neutra_log_det";

/// Neural transport: a vector z, the only latent site (`neutra_base`), is pushed through a map T, and each
/// latent site of the model takes its part of T(z) as its unconstrained numbers, in the order of the run.
///
/// The density of z is that of the model at T(z) times |det T|. Where T has learnt the posterior, as a flow in a
/// guide does, that is near a standard normal density, whatever the posterior's shape is, and a sampler moves
/// in it with ease.
///
/// In a run, `neutra_base` has no density of its own (draws are standard normal); the site `theta` is
/// deterministic, and its log-density is that of the factor `theta_log_prob`, in the same plates; the factor
/// `neutra_log_det`, at the end, has all Jacobians: ln |det T|, and those of the maps onto supports. A scale
/// around the model (`model.neutra(..).scale(..)`) multiplies them too: put it inside.
///
/// It is an error, of the run, if the latent sites have more or fewer numbers than z, if one of them is
/// discrete, or if one has a value already (what is substituted is `neutra_base`).
///
/// ```
/// use ppl_core::{Cpu, Tensor, address::Address, distributions::LogNormal, primitives::sample};
/// use ppl_core::handlers::{Effect, NeuTra, Prior, Tracer};
/// use ppl_core::transform::Affine;
///
/// // The exact map: ln theta is normal with mean 1 and standard deviation 3.
/// let exact = Affine::<f64, Cpu>::new(Tensor::vector(vec![1.0]), Tensor::vector(vec![3.0]));
/// let neutra = NeuTra::new(exact, 1);
/// let mut prior = Prior::seeded(1);
/// let mut tracer = Tracer::new(&mut prior);
/// // What `model.neutra(neutra)` does with the model's body.
/// neutra.around(&mut tracer, &mut |h| {
///     let _: Tensor<(), f64> = sample(h, Address::fixed("theta"), LogNormal::new(1.0, 3.0));
/// });
/// let trace = tracer.into_trace();
/// let z = trace.value::<Tensor<(usize,), f64>>("neutra_base").unwrap().to_vec()[0];
/// let standard_normal = -0.5 * z * z - 0.5 * std::f64::consts::TAU.ln();
/// assert!((trace.log_prob_sum().item() - standard_normal).abs() < 1e-12);
/// ```
///
/// Reference: Hoffman et al., *NeuTra-lizing Bad Geometry in Hamiltonian Monte Carlo Using Neural Transport*,
/// 2019; NumPyro's `NeuTraReparam`.
#[derive(Clone, Debug)]
pub struct NeuTra<E: Dtype, D: Backend<E>> {
    map: Map<E, D>,
    len: usize,
}

impl<E: Dtype, D: Backend<E>> NeuTra<E, D> {
    /// A one-to-one map of vectors of `len` numbers onto the unconstrained numbers of the model's latent sites,
    /// all of them in the order of a run: as many as `ModelDensity::dim` says.
    pub fn new(map: impl Transform<E, D>, len: usize) -> Self {
        NeuTra { map: Arc::new(map), len }
    }

    /// [`NeuTra::new`] with a flow out of a store of parameters, whose weights become constants: a gradient along z
    /// then costs nothing for them. A flow that learns from the rows it maps, such as
    /// [`BatchNorm`](crate::flows::BatchNorm), must have ended its training.
    pub fn trained<T: Transform<E, D> + Module<E, D>>(mut flow: T, len: usize) -> Self {
        ErasedModule::each_mut(&mut flow, "", &mut |_, weight| weight.untrack());
        NeuTra::new(flow, len)
    }

    /// What is wrong with the map.
    fn check_map(&self) -> Result<(), Error> {
        let ((from, to), name) = (self.map.event_lens(), self.map.name());
        if from == to && from > 0 && self.len.is_multiple_of(from) && self.map.is_bijective() {
            return Ok(());
        }
        let problem = format!(
            "{name} maps rows of {from} numbers to rows of {to}, but a one-to-one map of {} numbers is needed",
            self.len
        );
        Err(Error::Site { site: BASE.into(), problem })
    }
}

/// The handler of [`NeuTra`].
struct NeuTraHandler<'h, E: Dtype, D: Backend<E>> {
    inner: &'h mut dyn Handler<E, D>,
    effect: &'h NeuTra<E, D>,
    /// The scopes around the model.
    scope: String,
    /// T(z), from the first latent site on.
    image: Option<Flat<E, D>>,
    /// How many numbers of it were taken.
    taken: usize,
    log_dets: Vec<Tensor<(), E, D>>,
    failed: bool,
}

impl<E: Dtype, D: Backend<E>> NeuTraHandler<'_, E, D> {
    /// A site of this handler's own, around the model.
    fn state(&self, name: &'static str, kind: SiteKind) -> SiteState {
        SiteState::alone(Address::fixed(name).under(&self.scope), kind)
    }

    /// T(z); z is a statement of this run before the first latent site.
    fn image(&mut self) -> Result<Flat<E, D>, Error> {
        if let Some(image) = &self.image {
            return Ok(image.clone());
        }
        self.effect.check_map()?;
        let base = Normal::standard_like((self.effect.len,)).to_event::<Axis<0>>().mask([false]);
        let mut site = TypedSite::new(self.state(BASE, SiteKind::Sample), base, None);
        self.inner.sample(&mut site);
        let z = site.flat()?;
        let image = self.effect.map.forward(z.clone());
        self.log_dets.push(self.effect.map.log_abs_det(&z, &image).sum_all());
        self.image = Some(image.clone());
        Ok(image)
    }

    fn transport(&mut self, site: &mut dyn SampleSite<E, D>) -> Result<(), Error> {
        if site.has_value() {
            return Err(wrong(site, format!("it has a value already, but NeuTra gives it one: set `{BASE}` instead")));
        }
        let (start, len) = (self.taken, site.unconstrained_len()?);
        let image = self.image()?;
        if start + len > self.effect.len {
            let problem = format!(
                "it needs {len} numbers of NeuTra's vector, of whose {} numbers {start} are taken",
                self.effect.len
            );
            return Err(wrong(site, problem));
        }
        let part = start..start + len;
        self.taken = part.end;
        self.log_dets.extend(site.set_unconstrained(&image.slice(&[part]))?);
        self.score(site);
        site.state_mut().kind = SiteKind::Deterministic;
        Ok(())
    }

    /// The site's log-density as a factor: the same scale and mask, and a term for each element of the plates.
    fn score(&mut self, site: &dyn SampleSite<E, D>) {
        let address = site.state().address.with_suffix("_log_prob");
        let state = SiteState { address, kind: SiteKind::Factor, ..site.state().clone() };
        let mut factor = TypedSite::new(state, Unit::new(site.log_prob_elements()), Some(()));
        self.inner.sample(&mut factor);
    }

    /// The factor with all Jacobians; an error if numbers are left.
    fn finish(&mut self) {
        if self.taken != self.effect.len && !self.failed {
            let problem = format!(
                "NeuTra's vector has {} numbers, but the latent sites of this run took {}",
                self.effect.len, self.taken
            );
            self.inner.context().report(Error::Site { site: BASE.into(), problem });
        }
        let log_det = Unit::new(sum(self.log_dets.iter()));
        let mut factor = TypedSite::new(self.state(LOG_DET, SiteKind::Factor), log_det, Some(()));
        self.inner.sample(&mut factor);
    }
}

fn wrong<E: Dtype, D: Backend<E>>(site: &dyn SampleSite<E, D>, problem: String) -> Error {
    Error::Site { site: site.name().to_owned(), problem }
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for NeuTraHandler<'_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
        if !site.is_observed() && site.state().is_random() && !self.failed {
            let moved = self.transport(site);
            self.failed = moved.is_err();
            self.inner.context().check(moved);
        }
        self.inner.sample(site);
    }
}

impl<E: Dtype, D: Backend<E>> Effect<E, D> for NeuTra<E, D> {
    fn around(&self, inner: &mut dyn Handler<E, D>, body: &mut dyn FnMut(&mut dyn Handler<E, D>)) {
        let scope = inner.context().scope().to_owned();
        let (image, log_dets) = (None, Vec::new());
        let mut handler = NeuTraHandler { inner, effect: self, scope, image, taken: 0, log_dets, failed: false };
        body(&mut handler);
        handler.finish();
    }
}
