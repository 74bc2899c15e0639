//! Latent values from a guide.

use ppl_core::backend::Backend;
use ppl_core::handler::Handler;
use ppl_core::handlers::{Effect, Replay, Tracer, Uncondition};
use ppl_core::model::{Model, Program};
use ppl_core::site::{SampleSite, SiteKind};
use ppl_core::trace::Trace;
use ppl_core::{Dtype, Error};

use super::source::{Extent, Place, Source};

/// The values that a guide draws, with its parameters from the store of the predictions.
#[derive(Clone, Debug)]
pub struct FromGuide<G> {
    pub(super) guide: G,
    pub(super) draws: usize,
    pub(super) new_sites: bool,
}

impl<A, G, E, D> Source<A, E, D> for FromGuide<G>
where
    A: Clone,
    G: Model<A, E = E, D = D>,
    E: Dtype,
    D: Backend<E>,
{
    fn extent(&self) -> Extent {
        Extent { chains: 1, draws: self.draws, step: 1 }
    }

    fn run(
        &self,
        _: Place,
        args: &A,
        inner: &mut dyn Handler<E, D>,
        body: &mut dyn FnMut(&mut dyn Handler<E, D>),
    ) -> Result<(), Error> {
        let mut tracer = Tracer::new(inner);
        self.guide.run(&mut tracer, args.clone());
        let drawn = tracer.into_trace();
        let mut result = only_draws::<G, E, D>(&drawn);
        Uncondition.around(inner, &mut |inner| {
            let mut replay = Replay::new(&drawn, inner);
            let mut compare = Compare { inner: &mut replay, drawn: &drawn, met: Vec::new(), new_sites: self.new_sites };
            body(&mut compare);
            let complete = compare.check_complete();
            result = std::mem::replace(&mut result, Ok(())).and(complete);
        });
        result
    }
}

/// Whether the guide proposes values and does nothing else.
fn only_draws<G: Program, E: Dtype, D: Backend<E>>(drawn: &Trace<E, D>) -> Result<(), Error> {
    let wrong = drawn.sites().find_map(|site| match site.kind {
        SiteKind::Factor => Some((site, "weighs")),
        SiteKind::Sample if site.observed => Some((site, "observes")),
        _ => None,
    });
    match wrong {
        Some((site, does)) => {
            let problem = format!("the guide `{}` {does} it; a guide only proposes values", G::NAME);
            Err(Error::Site { site: site.address.to_string(), problem })
        }
        None => Ok(()),
    }
}

/// Reports what the guide and the model do not have in common.
struct Compare<'h, E: Dtype, D: Backend<E>> {
    inner: &'h mut dyn Handler<E, D>,
    drawn: &'h Trace<E, D>,
    /// The guide's sites that the model has.
    met: Vec<String>,
    new_sites: bool,
}

impl<E: Dtype, D: Backend<E>> Compare<'_, E, D> {
    fn compare(&mut self, site: &dyn SampleSite<E, D>) -> Result<(), &'static str> {
        let is_drawn = self.drawn.site(site.name()).is_some_and(|drawn| drawn.kind == SiteKind::Sample);
        if is_drawn {
            self.met.push(site.name().to_owned());
        }
        match (is_drawn, site.is_observed()) {
            (true, true) => Err("the guide samples it, but the model observes it"),
            (false, false) if !self.new_sites => Err("the model samples it, but the guide did not in this run; \
                 `allow_new_sites` to draw it from its distribution given the others"),
            _ => Ok(()),
        }
    }

    fn check_complete(&self) -> Result<(), Error> {
        let is_left = |name: &&str| !self.met.iter().any(|met| met == name);
        let drawn = self.drawn.sites().filter(|site| site.kind == SiteKind::Sample).map(|site| site.address.as_str());
        match drawn.into_iter().find(is_left) {
            Some(left) => {
                let problem = "the guide samples it, but the model did not in this run; \
                               a variable of the guide alone is marked `auxiliary`";
                Err(Error::Site { site: left.to_owned(), problem: problem.into() })
            }
            None => Ok(()),
        }
    }
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for Compare<'_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
        if site.state().kind == SiteKind::Intervened {
            self.met.push(site.name().to_owned());
        } else if site.state().kind == SiteKind::Sample {
            let compared = self.compare(site);
            let named =
                compared.map_err(|problem| Error::Site { site: site.name().to_owned(), problem: problem.into() });
            self.inner.context().check(named);
        }
        self.inner.sample(site);
    }
}
