//! Makes random variables of parameters, each tensor with a prior.

use std::fmt;
use std::sync::Arc;

use crate::address::{Address, fits};
use crate::backend::Backend;
use crate::constraint::Support;
use crate::distribution::Distribution;
use crate::distributions::Normal;
use crate::dtype::Dtype;
use crate::error::Error;
use crate::handler::Handler;
use crate::params::{Init, ParamSite};
use crate::rng::Rng;
use crate::shared::Shared;
use crate::site::{HasBase, SampleSite, SiteKind, SiteState, TypedSite};
use crate::transform::Flat;

use super::Effect;

/// Makes the site of a tensor of so many numbers.
#[cfg(not(feature = "cuda"))]
type SharedPrior<E, D> = Arc<dyn Fn(SiteState, usize) -> Box<dyn SampleSite<E, D>> + Send + Sync>;
#[cfg(feature = "cuda")]
type SharedPrior<E, D> = Arc<dyn Fn(SiteState, usize) -> Box<dyn SampleSite<E, D>>>;

/// Priors for parameters: `param!` and `module!` statements whose name fits become sample statements, one for each
/// tensor, named in full (`net.0.weight`), whose values are the tensor's numbers, row-major. They are latent sites like any
/// other: samplers and autoguides find them, and no store of parameters knows them.
///
/// ```
/// use ppl_core::{Cpu, Rank2, Tensor, address::Address, distributions::Laplace};
/// use ppl_core::handlers::{Effect, Lift, Prior, Tracer};
/// use ppl_core::nn::{Initialise, Linear};
/// use ppl_core::primitives::module;
///
/// let lift: Lift<f32, Cpu> = Lift::new().normal("net.*", 1.0).prior("net.bias", |n| Laplace::filled((n,), 0.0, 0.5));
/// let mut prior = Prior::seeded(0);
/// let mut tracer = Tracer::new(&mut prior);
/// // What `model.lift(lift)` does with the model's body.
/// lift.around(&mut tracer, &mut |h| {
///     let _: Linear<usize, usize, f32> = module(h, Address::fixed("net"), |init| Linear::new(init, 3, 2));
/// });
/// let trace = tracer.into_trace();
/// assert_eq!(trace.sites().map(|site| site.address.as_str()).collect::<Vec<_>>(), ["net.weight", "net.bias"]);
/// assert_eq!(trace.value::<Tensor<(usize,)>>("net.weight").unwrap().shape(), (6,));
/// ```
///
/// A constrained parameter has the prior's draw as its constrained value, so that the prior's support must lie within the
/// constraint: a draw outside is an error, of the run. So is a pattern that fits no parameter, or only some tensors of a module.
///
/// References: Blundell et al., *Weight Uncertainty in Neural Networks* (ICML 2015); Pyro's `poutine.lift`.
#[derive(Clone)]
pub struct Lift<E: Dtype, D: Backend<E>> {
    priors: Vec<(String, SharedPrior<E, D>)>,
}

impl<E: Dtype, D: Backend<E>> Default for Lift<E, D> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E: Dtype, D: Backend<E>> fmt::Debug for Lift<E, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.priors.iter().map(|(pattern, _)| pattern)).finish()
    }
}

impl<E: Dtype, D: Backend<E>> Lift<E, D> {
    /// No priors yet.
    pub fn new() -> Self {
        Lift { priors: Vec::new() }
    }

    /// A prior for the tensors whose full name is `pattern`, or begins with it where it ends in `*`; of several that fit the
    /// last counts. The function gets the number of the tensor's numbers, and makes a distribution over a vector of as many.
    #[must_use]
    pub fn prior<P>(mut self, pattern: impl Into<String>, prior: impl Fn(usize) -> P + Shared + 'static) -> Self
    where
        P: Distribution<E, D, Value = Flat<E, D>> + 'static,
    {
        let make = move |state, len| Box::new(TypedSite::new(state, prior(len), None)) as Box<dyn SampleSite<E, D>>;
        self.priors.push((pattern.into(), Arc::new(make)));
        self
    }

    /// [`Lift::prior`] with independent normal distributions of mean 0.
    #[must_use]
    pub fn normal(self, pattern: impl Into<String>, scale: f64) -> Self {
        self.prior(pattern, move |len| Normal::filled((len,), 0.0, scale))
    }
}

/// Whether a pattern can fit a tensor of the parameter `name`: itself, or one whose full name goes on after a dot. The value
/// of a parameter that it cannot fit is not made here, since the store passes by statements that have one.
fn may_fit(pattern: &str, name: &str) -> bool {
    let start = pattern.strip_suffix('*').unwrap_or(pattern);
    fits(pattern, name) || start.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'))
}

/// The handler of [`Lift`].
struct LiftHandler<'h, E: Dtype, D: Backend<E>> {
    inner: &'h mut dyn Handler<E, D>,
    lift: &'h Lift<E, D>,
    /// Whether each pattern has met a parameter.
    met: Vec<bool>,
}

impl<E: Dtype, D: Backend<E>> LiftHandler<'_, E, D> {
    /// Gives the statement a module of draws; false if no pattern fits.
    fn lift(&mut self, param: &mut dyn ParamSite<E, D>) -> Result<bool, Error> {
        let name = param.address().to_string();
        if !self.lift.priors.iter().any(|(pattern, _)| may_fit(pattern, &name)) {
            return Ok(false);
        }
        param.initialise(&mut Init::new(Rng::named(0, &name)))?;
        let Some(mut module) = param.value().map(|value| value.boxed()) else { return Ok(false) };
        let (mut lifted, mut left) = (Vec::new(), None);
        module.each(&name, &mut |full, tensor| {
            let fitting = self.lift.priors.iter().rposition(|(pattern, _)| fits(pattern, full));
            for (met, (pattern, _)) in self.met.iter_mut().zip(&self.lift.priors) {
                *met |= tensor.learns() && fits(pattern, full);
            }
            match fitting {
                Some(at) if tensor.learns() => lifted.push((full.to_owned(), at, tensor.dims())),
                None if tensor.learns() => left = Some(full.to_owned()),
                _ => {}
            }
        });
        if let (Some(left), false) = (&left, lifted.is_empty()) {
            let problem = format!("other tensors of `{name}` are lifted, but it has no prior; give it one too");
            return Err(Error::Param { param: left.clone(), problem });
        }
        if lifted.is_empty() {
            return Ok(false);
        }
        let mut draws = Vec::with_capacity(lifted.len());
        for (full, at, dims) in lifted {
            let numbers = self.draw(param.address(), &name, &full, at, dims.iter().product())?;
            let numbers = unconstrained(param.constraint(), &full, &dims, numbers)?;
            draws.push((full, numbers));
        }
        let (mut draws, mut result) = (draws.into_iter(), Ok(()));
        module.each_mut(&name, &mut |full, tensor| {
            if !tensor.learns() {
                return;
            }
            if let Some((_, numbers)) = draws.next() {
                let put = tensor.put(&numbers);
                let named = put.map_err(|error| Error::Param { param: full.to_owned(), problem: error.to_string() });
                result = std::mem::replace(&mut result, Ok(())).and(named);
            }
        });
        result?;
        param.set_value(&*module)?;
        Ok(true)
    }

    /// The numbers of one tensor: a sample statement that stands in no plate.
    fn draw(&mut self, address: &Address, name: &str, full: &str, at: usize, len: usize) -> Result<Flat<E, D>, Error> {
        let state = SiteState::alone(address.with_suffix(&full[name.len()..]), SiteKind::Sample);
        let mut site = (self.lift.priors[at].1)(state, len);
        let found = site.value_dims();
        if found != [len] {
            let problem =
                format!("its prior is over values of shape {found:?}, but it has {len} numbers in one vector");
            return Err(Error::Param { param: full.to_owned(), problem });
        }
        self.inner.sample(&mut *site);
        HasBase::flat(&*site)
    }
}

/// The unconstrained numbers of a constrained tensor.
///
/// # Errors
/// If a draw of the prior has none. (One that rounds to the constraint's edge has infinite ones.)
fn unconstrained<E: Dtype, D: Backend<E>>(
    constraint: Option<&Support<E, D>>,
    name: &str,
    dims: &[usize],
    numbers: Flat<E, D>,
) -> Result<Flat<E, D>, Error> {
    let Some((constraint, map)) = constraint.and_then(|of| Some((of, of.transform_to(dims)?))) else {
        return Ok(numbers);
    };
    let free = map.inverse(numbers.clone());
    let drawn = numbers.to_vec();
    if drawn.iter().all(|x| x.is_finite()) && free.to_vec().iter().any(|x| x.is_nan()) {
        let problem = format!(
            "its prior drew {}, but it must be {}; give it a prior with that support",
            drawn.iter().take(4).map(|x| format!("{x}")).collect::<Vec<_>>().join(", "),
            constraint.describe()
        );
        return Err(Error::Param { param: name.to_owned(), problem });
    }
    Ok(free)
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for LiftHandler<'_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    fn param(&mut self, site: &mut dyn ParamSite<E, D>) {
        if site.value().is_none() {
            match self.lift(site) {
                // Nothing further in is asked for a value that there is.
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => self.inner.context().report(error),
            }
        }
        self.inner.param(site);
    }
}

impl<E: Dtype, D: Backend<E>> Effect<E, D> for Lift<E, D> {
    fn around(&self, inner: &mut dyn Handler<E, D>, body: &mut dyn FnMut(&mut dyn Handler<E, D>)) {
        let mut handler = LiftHandler { inner, lift: self, met: vec![false; self.priors.len()] };
        body(&mut handler);
        let missed = handler.met.iter().position(|met| !met);
        if let Some(at) = missed {
            let problem = "no tensor of a parameter in this run has a name that fits this pattern of `lift`".into();
            inner.context().report(Error::Param { param: self.priors[at].0.clone(), problem });
        }
    }
}
