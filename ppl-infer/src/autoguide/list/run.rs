//! The run of a model whose latent sites take their values from the blocks of a guide, and of which nothing else is shown.

use indexmap::IndexMap;
use ppl_core::backend::Backend;
use ppl_core::handler::Handler;
use ppl_core::site::{SampleSite, SiteKind};
use ppl_core::values::AnyValue;
use ppl_core::{Dtype, Error};

use crate::autoguide::blocks::{Block, Plan};
use crate::autoguide::discrete::{ChoiceSite, Probs, Table};
use crate::autoguide::family::Numbers;
use crate::autoguide::run::give;
use crate::model_density::LatentSite;
use crate::model_density::handler::is_latent;

/// What a block has for a site.
enum Drawn<'h, E: Dtype, D: Backend<E>> {
    /// A site's unconstrained numbers; whether the value has a Jacobian.
    Numbers(&'h LatentSite, Numbers<E, D>, bool),
    /// Probabilities of its values.
    Probs(&'h Table, Probs<E, D>),
}

/// Gives latent sites their values, and shows them to the handler inside, with the density of the guide.
pub(super) struct Offer<'h, E: Dtype, D: Backend<E>> {
    inner: &'h mut dyn Handler<E, D>,
    plan: &'h Plan<E, D>,
    name: &'static str,
    /// By site; nothing of one that was met.
    drawn: IndexMap<&'h str, Option<Drawn<'h, E, D>>>,
    /// The values of parts that are written by hand, by site; nothing of one that was met.
    written: IndexMap<String, Option<Box<dyn AnyValue>>>,
    failed: bool,
}

impl<'h, E: Dtype, D: Backend<E>> Offer<'h, E, D> {
    /// Lets the families draw.
    pub(super) fn new(inner: &'h mut dyn Handler<E, D>, plan: &'h Plan<E, D>, name: &'static str) -> Self {
        let (mut drawn, mut failed) = (IndexMap::new(), false);
        for block in &plan.blocks {
            let proposed = propose(block, inner, &mut drawn);
            failed |= proposed.is_err();
            inner.context().check(proposed);
        }
        Offer { inner, plan, name, drawn, written: IndexMap::new(), failed }
    }

    /// Runs a part that is written by hand: that of the first such block from `block` on, which is then the one after it.
    pub(super) fn write(&mut self, block: &mut usize, part: &dyn Fn(&mut dyn Handler<E, D>)) {
        let by_hand = |at: &usize| self.plan.blocks[*at].part.is_none();
        let Some(at) = (*block..self.plan.blocks.len()).find(by_hand) else { return };
        *block = at + 1;
        part(&mut Write {
            block: &self.plan.blocks[at],
            drawn: &self.drawn,
            written: &mut self.written,
            inner: self.inner,
        });
    }

    fn offer(&mut self, site: &mut dyn SampleSite<E, D>) -> Result<(), Error> {
        if let Some(value) = self.written.get_mut(site.name()) {
            let value = value.take().ok_or_else(|| Error::DuplicateSite(site.name().to_owned()))?;
            return site.set_value(&*value, "guide");
        }
        let Some(drawn) = self.drawn.get_mut(site.name()) else { return Err(self.unknown(site.name())) };
        let drawn = drawn.take().ok_or_else(|| Error::DuplicateSite(site.name().to_owned()))?;
        match drawn {
            Drawn::Numbers(known, numbers, jacobian) => give(site, known, &numbers, jacobian, self.name, self.inner),
            Drawn::Probs(table, probs) => {
                all_rows(site, self.name)?;
                self.inner.sample(&mut ChoiceSite::new(site, table, probs)?);
                Ok(())
            }
        }
    }

    fn unknown(&self, site: &str) -> Error {
        let by_hand = self.plan.blocks.iter().any(|block| block.part.is_none() && block.names(site));
        let problem = if by_hand {
            "this run of the model samples it, but the part of the guide that is written by hand did not; sample it there"
                .to_owned()
        } else {
            format!(
                "this run of the model samples it, but `{}` was made of one that did not; make the guide with arguments \
                 under which every latent site appears, or write its part by hand",
                self.name
            )
        };
        Error::Site { site: site.to_owned(), problem }
    }

    /// Reports latent sites that the run did not meet.
    pub(super) fn finish(self) {
        if self.failed {
            return;
        }
        let missed = self.drawn.iter().find(|(_, drawn)| drawn.is_some()).map(|(site, _)| {
            let problem = format!(
                "this run of the model did not sample it, but `{}` was made of one that did; an autoguide needs the same \
                 latent sites in every run",
                self.name
            );
            Error::Site { site: (*site).to_owned(), problem }
        });
        let extra = self.written.iter().find(|(_, value)| value.is_some()).map(|(site, _)| {
            let problem = "the part of the guide that is written by hand samples it, but the model did not in this run; a \
                           variable of the guide alone is marked `auxiliary`";
            Error::Site { site: site.clone(), problem: problem.into() }
        });
        self.inner.context().check(missed.or(extra).map_or(Ok(()), Err));
    }
}

/// Asks for the parameters of a block, and draws.
fn propose<'h, E: Dtype, D: Backend<E>>(
    block: &'h Block<E, D>,
    inner: &mut dyn Handler<E, D>,
    drawn: &mut IndexMap<&'h str, Option<Drawn<'h, E, D>>>,
) -> Result<(), Error> {
    let Some(part) = block.part.as_ref().filter(|_| !block.is_empty()) else { return Ok(()) };
    let entered = block.scope.as_ref().map(|scope| inner.context().enter(scope));
    let proposal = part.propose(&block.layout, inner);
    let tables: Vec<_> = block.tables.iter().map(|table| (table, table.probs(inner))).collect();
    if let Some(entered) = entered {
        inner.context().leave(entered);
    }
    let proposal = proposal?;
    for (site, numbers) in block.layout.sites.iter().zip(proposal.parts) {
        drawn.insert(&site.name, Some(Drawn::Numbers(site, numbers, proposal.jacobians)));
    }
    for (table, probs) in tables {
        drawn.insert(&table.site, Some(Drawn::Probs(table, probs)));
    }
    Ok(())
}

/// Parameters of rows that are not in the run would stand for those that are.
fn all_rows<E: Dtype, D: Backend<E>>(site: &dyn SampleSite<E, D>, guide: &'static str) -> Result<(), Error> {
    let Some(partial) = site.state().frames.iter().find(|frame| frame.len < frame.size) else { return Ok(()) };
    let problem = format!(
        "it has {} of its {} rows in this run, and the latent site `{}` is in it: `{guide}` has no parameters for single \
         rows; give the plate all rows, or write its part by hand",
        partial.len,
        partial.size,
        site.name()
    );
    Err(Error::Plate { plate: partial.name.to_string(), problem })
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for Offer<'_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    /// What is not latent has its value, and is not the guide's to show; after an error the prior draws.
    fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
        if is_latent(site) && site.state().enumerate && !site.has_value() {
            // Others sum over it.
            site.draw(&mut self.inner.context().rng);
        }
        if !is_latent(site) || site.state().enumerate {
            return;
        }
        let offered = if self.failed { Ok(()) } else { self.offer(site) };
        self.failed |= offered.is_err();
        self.inner.context().check(offered);
        if !site.has_value() {
            site.draw(&mut self.inner.context().rng);
        }
    }
}

/// Keeps what a part that is written by hand samples.
struct Write<'w, 'h, E: Dtype, D: Backend<E>> {
    inner: &'w mut dyn Handler<E, D>,
    block: &'w Block<E, D>,
    drawn: &'w IndexMap<&'h str, Option<Drawn<'h, E, D>>>,
    written: &'w mut IndexMap<String, Option<Box<dyn AnyValue>>>,
}

impl<E: Dtype, D: Backend<E>> Handler<E, D> for Write<'_, '_, E, D> {
    fn inner(&mut self) -> &mut dyn Handler<E, D> {
        self.inner
    }

    fn sample(&mut self, site: &mut dyn SampleSite<E, D>) {
        self.inner.sample(site);
        if site.state().kind != SiteKind::Sample || site.is_observed() {
            return;
        }
        if !self.block.names(site.name()) || self.drawn.contains_key(site.name()) {
            let problem = format!(
                "a part of the guide that is written by hand samples it, but its block has the sites {:?}; name it there \
                 and nowhere else, or mark it `auxiliary` if it is a variable of the guide alone",
                self.block.names
            );
            self.inner.context().report(Error::Site { site: site.name().to_owned(), problem });
        } else if let Some(value) = site.value() {
            self.written.insert(site.name().to_owned(), Some(value.boxed()));
        }
    }
}
