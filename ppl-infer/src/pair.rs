//! One run of the guide and one of the model under it, and what must hold between them.

use std::collections::HashMap;

use ppl_core::autodiff::no_grad;
use ppl_core::backend::Backend;
use ppl_core::handler::Handler;
use ppl_core::handlers::{Detached, Params, Prior, Replay, Tracer};
use ppl_core::model::{Model, Program};
use ppl_core::params::ParamStore;
use ppl_core::plate::Frames;
use ppl_core::rng::Rng;
use ppl_core::site::SiteKind;
use ppl_core::trace::{Keep, SiteRecord, Trace};
use ppl_core::{Dtype, Error};

use crate::enumeration::Stated;

// Observations that are drawn.
mod imagined;
// A pair whose observations are drawn, beside the data.
mod replica;

use imagined::Imagined;
pub use replica::Replica;

/// A run of the guide, and one of the model at the values that the guide drew.
#[derive(Clone, Debug)]
pub struct Pair<E: Dtype, D: Backend<E>> {
    /// The model's trace.
    pub model: Trace<E, D>,
    /// The guide's trace.
    pub guide: Trace<E, D>,
}

impl<E: Dtype, D: Backend<E>> Pair<E, D> {
    /// Runs the guide and then the model, with parameters from `params`.
    ///
    /// # Errors
    /// The first error of either run, or the first site at which the two do not fit.
    pub fn draw<A, M, G>(
        model: &M,
        guide: &G,
        args: A,
        params: &mut ParamStore<E, D>,
        rng: Rng,
        validate: bool,
    ) -> Result<Self, Error>
    where
        A: Clone,
        M: Model<A, E = E, D = D>,
        G: Model<A, E = E, D = D>,
    {
        Self::draw_as(Ask::default(), (model, guide), args, params, rng, validate)
    }

    /// [`Pair::draw`] of what an objective asks for.
    ///
    /// # Errors
    /// As [`Pair::draw`].
    pub fn draw_as<A, M, G>(
        ask: Ask,
        (model, guide): (&M, &G),
        args: A,
        params: &mut ParamStore<E, D>,
        rng: Rng,
        validate: bool,
    ) -> Result<Self, Error>
    where
        A: Clone,
        M: Model<A, E = E, D = D>,
        G: Model<A, E = E, D = D>,
    {
        let mut prior = Prior::new(rng);
        Handler::<E, D>::context(&mut prior).validate = validate;
        let mut params = Params::new(params, &mut prior);

        let guide_trace = if ask.detached {
            record(ask.keep, guide, args.clone(), &mut Detached::new(&mut params))?
        } else {
            record(ask.keep, guide, args.clone(), &mut params)?
        };
        let model_trace = record(ask.keep, model, args, &mut Replay::new(&guide_trace, &mut params))?;

        let pair = Pair { model: model_trace, guide: guide_trace };
        pair.check::<M, G>()?;
        Ok(pair)
    }

    /// Runs the model from its prior, its observations drawn too, and then the guide at the latent values: what
    /// the sleep phase of wake-sleep learns from. Values are constants, and the model's densities too; the guide's
    /// carry gradients.
    ///
    /// The guide gets the same arguments as in [`Pair::draw`]: one that reads the data reads those that were
    /// given, not those that the model dreamt.
    ///
    /// # Errors
    /// As [`Pair::draw`].
    pub fn dream<A, M, G>(
        keep: Keep,
        (model, guide): (&M, &G),
        args: A,
        params: &mut ParamStore<E, D>,
        rng: Rng,
        validate: bool,
    ) -> Result<Self, Error>
    where
        A: Clone,
        M: Model<A, E = E, D = D>,
        G: Model<A, E = E, D = D>,
    {
        let mut prior = Prior::new(rng);
        Handler::<E, D>::context(&mut prior).validate = validate;
        let mut params = Params::new(params, &mut prior);
        let model_trace = no_grad(|| {
            let mut detached = Detached::new(&mut params);
            record(keep, model, args.clone(), &mut Imagined::new(&mut detached))
        })?;
        let guide_trace = record(keep, guide, args, &mut Replay::new(&model_trace, &mut params))?;
        let pair = Pair { model: model_trace, guide: guide_trace };
        pair.check::<M, G>()?;
        Ok(pair)
    }

    /// The first site whose log-density is not finite, explained. The guide ran first, and what is
    /// wrong there is wrong in the model as well.
    pub fn problem(&self) -> Option<&Error> {
        self.guide.problem().or_else(|| self.model.problem())
    }

    /// Whether the guide drew what the model leaves open, and nothing else.
    ///
    /// # Errors
    /// The first site at which the two do not fit.
    pub(crate) fn check<M: Program, G: Program>(&self) -> Result<(), Error> {
        let stated = self.model.sites().map(|site| Stated {
            name: site.address.to_string(),
            latent: site.is_latent(),
            observed: site.observed,
            scale: scale(&site.frames),
            enumerate: site.enumerate,
        });
        check::<M, G, E, D>(&stated.collect::<Vec<_>>(), &self.guide)
    }
}

/// Whether every latent site of the model was drawn by the guide and the other way round, under plates that scale alike.
pub(crate) fn check<M: Program, G: Program, E: Dtype, D: Backend<E>>(
    model: &[Stated],
    guide: &Trace<E, D>,
) -> Result<(), Error> {
    for site in model.iter().filter(|site| site.latent) {
        if guide.site(&site.name).is_none_or(|drawn| drawn.kind != SiteKind::Sample) {
            let remedy = match site.enumerate {
                true => {
                    "the model leaves it to be summed out, which the objective `TraceEnumElbo` does; or sample it there"
                }
                false => "sample it there, or observe it",
            };
            let problem = format!(
                "the model `{}` samples it, but the guide `{}` did not in this run; {remedy}",
                M::NAME,
                G::NAME
            );
            return Err(Error::Site { site: site.name.clone(), problem });
        }
    }
    let by_name: HashMap<&str, &Stated> = model.iter().map(|site| (site.name.as_str(), site)).collect();
    guide.sites().try_for_each(|site| match site.kind {
        SiteKind::Factor => Err(misfit(
            site,
            format!("the guide `{}` weighs it; a guide proposes values, and factors belong into the model", G::NAME),
        )),
        SiteKind::Sample if site.observed => Err(misfit(
            site,
            format!("the guide `{}` observes it; observe it in the model, and leave it out of the guide", G::NAME),
        )),
        SiteKind::Sample => check_drawn::<M, G, E, D>(by_name.get(site.address.as_str()).copied(), site),
        SiteKind::Auxiliary | SiteKind::Deterministic | SiteKind::Intervened => Ok(()),
    })
}

fn check_drawn<M: Program, G: Program, E: Dtype, D: Backend<E>>(
    site: Option<&Stated>,
    drawn: &SiteRecord<E, D>,
) -> Result<(), Error> {
    let (model, guide) = (M::NAME, G::NAME);
    let Some(site) = site else {
        return Err(misfit(
            drawn,
            format!(
                "the guide `{guide}` samples it, but the model `{model}` did not in this run; a variable of the guide alone is marked `auxiliary`"
            ),
        ));
    };
    if !site.latent {
        let given = if site.observed { "observes it" } else { "sets it by an intervention" };
        return Err(misfit(drawn, format!("the guide `{guide}` samples it, but the model `{model}` {given}")));
    }
    let (inner, outer) = (scale(&drawn.frames), site.scale);
    if (inner - outer).abs() > 1e-9 * outer {
        return Err(misfit(
            drawn,
            format!(
                "the plates around it scale by {outer} in the model `{model}` and by {inner} in the guide `{guide}`; put it in the same plates"
            ),
        ));
    }
    Ok(())
}

/// What an objective asks of a pair of runs; by default nothing beyond the two traces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    /// Whether the guide's values are constants, so that gradients flow through log-densities alone.
    pub detached: bool,
    /// What both traces keep of each site.
    pub keep: Keep,
}

/// A run of the model alone from its prior, with parameters from `params`: latent draws carry pathwise gradients
/// where their distributions have them, and observations are the data.
///
/// # Errors
/// The first error of the run.
pub fn prior_draw<A, M: Model<A>>(
    keep: Keep,
    model: &M,
    args: A,
    params: &mut ParamStore<M::E, M::D>,
    rng: Rng,
    validate: bool,
) -> Result<Trace<M::E, M::D>, Error> {
    let mut prior = Prior::new(rng);
    Handler::<M::E, M::D>::context(&mut prior).validate = validate;
    record(keep, model, args, &mut Params::new(params, &mut prior))
}

/// The trace of a program under a handler.
fn record<A, M: Model<A>>(
    keep: Keep,
    program: &M,
    args: A,
    handler: &mut dyn Handler<M::E, M::D>,
) -> Result<Trace<M::E, M::D>, Error> {
    let mut tracer = Tracer::new(handler).keeping(keep);
    program.run(&mut tracer, args);
    let trace = tracer.into_trace();
    handler.context().finish(trace)
}

fn misfit<E: Dtype, D: Backend<E>>(site: &SiteRecord<E, D>, problem: String) -> Error {
    Error::Site { site: site.address.to_string(), problem }
}

/// What plates multiply log-densities by.
pub(crate) fn scale(frames: &Frames) -> f64 {
    frames.iter().map(|frame| frame.scale()).product()
}
