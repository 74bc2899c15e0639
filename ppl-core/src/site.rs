//! A sample statement on its way through the handlers: a typed value on the stack of the model's
//! body, seen by handlers through an object-safe face.

use std::sync::Arc;

use crate::address::Address;
use crate::backend::Backend;
use crate::constraint::Support;
use crate::distribution::Family;
use crate::dtype::Dtype;
use crate::error::Error;
use crate::plate::{Frames, Steps};
use crate::rng::Rng;
use crate::tensor::Tensor;
use crate::transform::Flat;
use crate::values::AnyValue;

// The site of a distribution.
mod typed;
// A site as the image of another one.
mod base;
// A site with a value from elsewhere and a log-density of its own.
mod image;

pub use base::{BaseSite, HasBase};
pub use image::ImageSite;
pub use typed::TypedSite;

/// What stands behind a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SiteKind {
    /// `sample!`.
    Sample,
    /// `sample!(.., auxiliary)`: a variable of the guide alone.
    Auxiliary,
    /// `factor!`: a term of the log-density without a value.
    Factor,
    /// `deterministic!`: a recorded value without a density.
    Deterministic,
    /// A sample statement whose value was set by `intervene`: it has no density.
    Intervened,
}

/// Which of a site's plate elements count.
#[derive(Clone, Debug, PartialEq)]
pub enum SiteMask {
    /// All or none.
    All(bool),
    /// One flag for each combination of the elements of the plates around it, row-major.
    Elements(Arc<[bool]>),
}

/// The part of a site that does not depend on its distribution.
#[derive(Clone, Debug)]
pub struct SiteState {
    /// Its name.
    pub address: Address,
    /// What it is.
    pub kind: SiteKind,
    /// Whether its value is data.
    pub observed: bool,
    /// What its log-density is multiplied by: the plates' and the handlers'.
    pub scale: f64,
    /// Which of its elements count.
    pub mask: SiteMask,
    /// The plates around it, outermost first.
    pub frames: Frames,
    /// The steps of Markov chains around it, outermost first.
    pub steps: Steps,
    /// Whether all its values are to be summed over, by inference that can.
    pub enumerate: bool,
}

impl SiteState {
    /// A site that is no data and stands in no plate and no chain.
    pub fn alone(address: Address, kind: SiteKind) -> Self {
        SiteState {
            address,
            kind,
            observed: false,
            scale: 1.0,
            mask: SiteMask::All(true),
            frames: Frames::new(),
            steps: Steps::new(),
            enumerate: false,
        }
    }

    /// How many elements the vectorised plates around the site have together.
    pub fn plate_elements(&self) -> usize {
        self.frames.iter().filter(|f| !f.is_loop).map(|f| f.len).product()
    }

    /// Whether the value is a random variable's, so that it can be drawn, observed or substituted.
    pub fn is_random(&self) -> bool {
        matches!(self.kind, SiteKind::Sample | SiteKind::Auxiliary)
    }

    /// Whether the site has a density: it was neither computed nor set by an intervention.
    pub fn is_scored(&self) -> bool {
        !matches!(self.kind, SiteKind::Deterministic | SiteKind::Intervened)
    }
}

/// A site as handlers see it.
pub trait SampleSite<E: Dtype, D: Backend<E>>: HasBase<E, D> {
    /// Name, kind, scale, mask and plates.
    fn state(&self) -> &SiteState;

    /// The same, to be changed.
    fn state_mut(&mut self) -> &mut SiteState;

    /// The distribution's name.
    fn distribution(&self) -> &'static str;

    /// Whether draws carry pathwise gradients.
    fn has_rsample(&self) -> bool;

    /// Where its values live.
    fn support(&self) -> Support<E, D>;

    /// The sizes of a value: those of the distribution's batch and of an event.
    fn value_dims(&self) -> Vec<usize>;

    /// The value, once there is one.
    fn value(&self) -> Option<&dyn AnyValue>;

    /// Sets the value; `action` says how, for errors ("condition", "replay").
    ///
    /// # Errors
    /// If it has another type or shape than the distribution's values; the site stays as it was.
    fn set_value(&mut self, value: &dyn AnyValue, action: &'static str) -> Result<(), Error>;

    /// Sets the value to the one with these numbers, each an `f64`, in row-major order; `action` as in
    /// [`SampleSite::set_value`].
    ///
    /// # Errors
    /// If the distribution's values are not made of numbers, or of other ones: another count, or integers
    /// where these are none; the site stays as it was.
    fn set_numbers(&mut self, numbers: &[f64], action: &'static str) -> Result<(), Error>;

    /// Forgets the value, so that it will be drawn.
    fn clear_value(&mut self);

    /// Sets the value to the image of unconstrained numbers under the one-to-one map onto the support
    /// ([`Constraint::biject_to`](crate::constraint::Constraint::biject_to)), and returns ln |det J|; `None`
    /// where the map is the identity.
    ///
    /// # Errors
    /// If there is no such map (the values are discrete), or it takes another number of numbers.
    fn set_unconstrained(&mut self, numbers: &Flat<E, D>) -> Result<Option<Tensor<(), E, D>>, Error>;

    /// How many numbers [`SampleSite::set_unconstrained`] takes.
    ///
    /// # Errors
    /// If there is no such map.
    fn unconstrained_len(&self) -> Result<usize, Error>;

    /// The unconstrained numbers whose image the value is.
    ///
    /// # Errors
    /// As [`SampleSite::set_unconstrained`], and without a value.
    fn unconstrained(&self) -> Result<Flat<E, D>, Error>;

    /// Draws the value.
    fn draw(&mut self, rng: &mut Rng);

    /// The log-density of the value, masked, scaled and summed. Zero without a value.
    fn log_prob_sum(&self) -> Tensor<(), E, D>;

    /// The log-density for each element of the plates around the site, masked but not scaled, with
    /// event axes summed. Empty without a value, zeros where the site has no density.
    fn log_prob_elements(&self) -> Tensor<(usize,), E, D>;

    /// The entropy of all elements together, where it has a closed form: masked, not scaled. Zero
    /// where the site has no density.
    fn entropy(&self) -> Option<Tensor<(), E, D>>;

    /// The distribution's family and parameters, with the site's mask, where it has one.
    fn family(&self) -> Option<Family<E, D>>;

    /// Which numbers of a value count, row-major: those that neither the site's mask nor its distribution's leaves
    /// out; `None` where all do.
    fn counted(&self) -> Option<Arc<[bool]>>;

    /// The first element whose log-density is not finite, with the parameters there.
    fn explain_non_finite(&self) -> Error;

    /// All values of one element, where there are finitely many.
    fn enumerate_support(&self) -> Option<Vec<Box<dyn AnyValue>>>;

    /// The site's name.
    fn name(&self) -> &str {
        self.state().address.as_str()
    }

    /// Whether the value is data.
    fn is_observed(&self) -> bool {
        self.state().observed
    }

    /// Whether there is a value.
    fn has_value(&self) -> bool {
        self.value().is_some()
    }
}
