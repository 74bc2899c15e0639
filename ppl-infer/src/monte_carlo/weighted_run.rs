//! One run of a model whose latent values come from its prior or a guide, and the run's importance weight.

use ppl_core::autodiff::no_grad;
use ppl_core::backend::Backend;
use ppl_core::handler::Handler;
use ppl_core::handlers::{Effect, Params, Prior, Replay, Substitute, Tracer};
use ppl_core::model::Model;
use ppl_core::params::ParamStore;
use ppl_core::plate::Plate;
use ppl_core::rng::Rng;
use ppl_core::site::SiteKind;
use ppl_core::trace::{SiteRecord, Trace};
use ppl_core::{Dtype, Error};

use crate::model_density::handler::check_rows;
use crate::pair::{Pair, scale};

/// What a run is made from.
#[derive(Debug)]
pub struct Setting<'r, E: Dtype, D: Backend<E>> {
    /// Parameters.
    pub params: &'r mut ParamStore<E, D>,
    /// Randomness.
    pub rng: Rng,
    /// Whether distributions' parameters are checked at every site.
    pub validate: bool,
    /// Values of latent sites that are given and not drawn.
    pub given: Option<&'r Substitute>,
}

/// A run and its weight: the joint density of all that the model stated, over the density from which the latent values
/// were drawn.
#[derive(Clone, Debug)]
pub struct WeightedRun<O, E: Dtype, D: Backend<E>> {
    /// What the model returned.
    pub output: O,
    /// The model's trace.
    pub trace: Trace<E, D>,
    /// ln of the weight; −∞ where the data are impossible, but neither NaN nor ∞.
    pub log_weight: f64,
}

impl<O, E: Dtype, D: Backend<E>> WeightedRun<O, E, D> {
    /// A run of the model, its latent values drawn from its own statements. Their densities cancel, so that the weight is
    /// what data and factors say; of a latent density under a power, the power is left.
    ///
    /// # Errors
    /// The first error of the run; a plate that draws a subsample; a log-density that is NaN or ∞.
    pub fn from_prior<A, M>(model: &M, args: A, setting: Setting<'_, E, D>) -> Result<Self, Error>
    where
        M: Model<A, E = E, D = D, Output = O>,
    {
        let (output, trace) = start(setting, |handler, given| traced(model, args, handler, given))?;
        Self::of(output, trace, |site| {
            if !site.is_latent() {
                return site.log_prob.item().wide();
            }
            let power = 1.0 - scale(&site.frames) / site.scale;
            if power == 0.0 { 0.0 } else { power * site.log_prob.item().wide() }
        })
    }

    /// A run of the guide, and one of the model at its values.
    ///
    /// Auxiliary variables of the guide count where its sites are point masses with densities, as flows make them. Where
    /// its sites have densities given the auxiliary variables, they do not: the weight is right given any of their values.
    ///
    /// # Errors
    /// The first error of either run; the first site at which the two do not fit; a log-density that is NaN or ∞; a guide
    /// that proposes a single point; auxiliary variables where values are given.
    pub fn from_guide<A, M, G>(model: &M, guide: &G, args: A, setting: Setting<'_, E, D>) -> Result<Self, Error>
    where
        A: Clone,
        M: Model<A, E = E, D = D, Output = O>,
        G: Model<A, E = E, D = D>,
    {
        let is_kept = setting.given.is_some();
        let (output, pair) = start(setting, |handler, given| {
            let (_, guide) = traced(guide, args.clone(), handler, given);
            let (output, model) = traced(model, args, &mut Replay::new(&guide, handler), None);
            (output, Pair { model, guide })
        })?;
        pair.check::<M, G>()?;
        if let Some(site) = pair.guide.sites().find(|site| is_kept && site.kind == SiteKind::Auxiliary) {
            let problem =
                "values are given that the guide drew before, but not of this auxiliary variable; use a guide \
                           without"
                    .into();
            return Err(Error::Site { site: site.address.to_string(), problem });
        }
        let proposed = log_proposal(&pair)?;
        let mut run = Self::of(output, pair.model, |site| site.log_prob.item().wide())?;
        run.log_weight -= proposed;
        Ok(run)
    }

    fn of(output: O, trace: Trace<E, D>, log_weight: impl Fn(&SiteRecord<E, D>) -> f64) -> Result<Self, Error> {
        let mut total = 0.0;
        for site in trace.sites() {
            let term = log_weight(site);
            if term.is_nan() || term == f64::INFINITY {
                return Err(why(site));
            }
            total += term;
        }
        Ok(WeightedRun { output, trace, log_weight: total })
    }

    /// The log joint density of the run.
    pub fn log_joint(&self) -> f64 {
        self.trace.sites().map(|site| site.log_prob.item().wide()).sum()
    }

    /// The first site that makes the run impossible, if its weight is zero.
    pub fn impossible(&self) -> Option<Impossible> {
        let is_zero = |site: &&SiteRecord<E, D>| site.log_prob.item().wide() == f64::NEG_INFINITY;
        let site = self.trace.sites().find(is_zero).filter(|_| self.log_weight == f64::NEG_INFINITY)?;
        Some(Impossible { site: site.address.to_string(), why: why(site) })
    }
}

/// A site without density, and why it has none.
#[derive(Clone, Debug, PartialEq)]
pub struct Impossible {
    /// The site's full name.
    pub site: String,
    /// Why.
    pub why: Error,
}

fn why<E: Dtype, D: Backend<E>>(site: &SiteRecord<E, D>) -> Error {
    let unexplained = || {
        let problem = format!("its log-density is {}", site.log_prob.item().wide());
        Error::Site { site: site.address.to_string(), problem }
    };
    site.problem.clone().unwrap_or_else(unexplained)
}

/// A body under the innermost handlers, without gradients.
fn start<R, E: Dtype, D: Backend<E>>(
    setting: Setting<'_, E, D>,
    body: impl FnOnce(&mut dyn Handler<E, D>, Option<&Substitute>) -> R,
) -> Result<R, Error> {
    let mut prior = Prior::new(setting.rng);
    Handler::<E, D>::context(&mut prior).validate = setting.validate;
    let mut params = Params::new(setting.params, &mut prior);
    let mut whole = WholePlates(&mut params);
    let result = no_grad(|| body(&mut whole, setting.given));
    params.context().finish(result)
}

/// Reports plates that draw a subsample: a weight would be that of other data in each run.
struct WholePlates<'h, E: Dtype, D: Backend<E>>(&'h mut dyn Handler<E, D>);

impl<E: Dtype, D: Backend<E>> Handler<E, D> for WholePlates<'_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.0
    }

    fn enter_plate(&mut self, plate: &mut Plate) {
        let checked = check_rows(plate);
        self.0.context().check(checked);
        self.0.enter_plate(plate);
    }
}

fn traced<A, M: Model<A>>(
    program: &M,
    args: A,
    handler: &mut dyn Handler<M::E, M::D>,
    given: Option<&Substitute>,
) -> (M::Output, Trace<M::E, M::D>) {
    let mut tracer = Tracer::new(handler);
    let output = match given {
        None => program.run(&mut tracer, args),
        Some(given) => {
            let (mut args, mut output) = (Some(args), None);
            given.around(&mut tracer, &mut |inner| output = args.take().map(|args| program.run(inner, args)));
            output.expect("an effect runs the body once")
        }
    };
    (output, tracer.into_trace())
}

/// ln of the density from which the guide's values were drawn.
fn log_proposal<E: Dtype, D: Backend<E>>(pair: &Pair<E, D>) -> Result<f64, Error> {
    let is_point = |site: &&SiteRecord<E, D>| site.distribution == "Delta";
    let drawn = || pair.guide.sites().filter(|site| site.kind == SiteKind::Sample);
    let auxiliary = || pair.guide.sites().filter(|site| site.kind == SiteKind::Auxiliary);
    let point = drawn().find(is_point);
    let has_density = drawn().find(|site| !is_point(site));
    let flows = point.is_some() && auxiliary().next().is_some();
    let model_is_point =
        |site: &SiteRecord<E, D>| pair.model.site(site.address.as_str()).as_ref().is_some_and(is_point);
    let problem = match (point, has_density) {
        (Some(site), _) if !flows && !model_is_point(site) => Some((
            site,
            "the guide proposes a single point, under which no other value has a weight; give it a density",
        )),
        (Some(_), Some(site)) if flows => Some((
            site,
            "the guide gives it a density of its own, and another site that of an auxiliary variable: which variables the \
             proposal's density is of cannot be told; make point masses of all sites, or of none",
        )),
        _ => None,
    };
    if let Some((site, problem)) = problem {
        return Err(Error::Site { site: site.address.to_string(), problem: problem.into() });
    }
    let mut total = 0.0;
    for site in drawn().chain(auxiliary().filter(|_| flows)) {
        let term = site.log_prob.item().wide();
        if !term.is_finite() {
            return Err(why(site));
        }
        total += term;
    }
    Ok(total)
}
