//! Predictions as named arrays.

use ppl_core::backend::Backend;
use ppl_core::model::Model;
use ppl_core::site::{SampleSite, SiteKind, SiteMask};
use ppl_core::{Dtype, Error};

use crate::draws::{ChainDraws, Draws, Role, SampleStats};

use super::record::{Ask, Entry, Layout, Record};
use super::source::{Extent, Place, Source};
use super::{Predictive, PredictiveError, at};

impl<A, M, S, E, D> Predictive<M, A, S, E, D>
where
    A: Clone,
    M: Model<A, E = E, D = D>,
    S: Source<A, E, D>,
    E: Dtype,
    D: Backend<E>,
{
    /// The values of sites as named arrays, chains × draws × sizes: those that [`keep`](Predictive::keep) names,
    /// or else all that the draws do not have already. The runs are shared among the threads of rayon's pool,
    /// which changes no number.
    ///
    /// # Errors
    /// As [`traces`](Predictive::traces); if there are no draws; if a site is not made of numbers, comes and
    /// goes, or changes its sizes from draw to draw.
    pub fn collect(&self) -> Result<Draws, PredictiveError>
    where
        S: Sync,
        Self: Sync,
    {
        let ask = |site: &dyn SampleSite<E, D>, was_observed: bool| self.entry(site, was_observed);
        let layout = self.layout(&self.source, &ask)?;
        self.check_kept(&layout)?;
        let rows = self.rows(&self.source, &layout, &ask)?;
        Ok(Draws::new(layout.variables, chains(self.source.extent(), rows)))
    }

    fn entry(&self, site: &dyn SampleSite<E, D>, was_observed: bool) -> Result<Option<Entry>, Error> {
        let Some(value) = site.value().filter(|_| site.state().kind != SiteKind::Factor) else { return Ok(None) };
        let dims = value.dims();
        let is_kept = match &self.keep {
            Some(names) => names.iter().any(|name| name == site.name()),
            None => !self.source.has(site.name(), &dims),
        };
        if !is_kept {
            return Ok(None);
        }
        let is_whole = |numbers: &Vec<f64>| numbers.len() == dims.iter().product::<usize>();
        let Some(numbers) = value.to_f64s().filter(is_whole) else {
            let problem =
                format!("its values, of type {}, are no arrays of numbers; `keep` other sites", value.type_name());
            return Err(Error::Site { site: site.name().to_owned(), problem });
        };
        let role = match site.state().kind {
            SiteKind::Deterministic | SiteKind::Intervened => Role::Deterministic,
            _ if was_observed => Role::Predicted,
            _ => Role::Latent,
        };
        Ok(Some(Entry { dims, role, numbers, mask: SiteMask::All(true) }))
    }

    fn check_kept(&self, layout: &Layout) -> Result<(), PredictiveError> {
        let is_there = |name: &str| layout.variables.iter().any(|variable| variable.name == name);
        match self.keep.iter().flatten().find(|name| !is_there(name)) {
            Some(name) => {
                let problem = "it was to be kept, but the first run of the model did not have it".into();
                Err(at(Place { chain: 0, draw: 0 }, Error::Site { site: name.clone(), problem }))
            }
            None => Ok(()),
        }
    }

    /// What the first run has to say.
    pub(super) fn layout(&self, source: &impl Source<A, E, D>, ask: &Ask<'_, E, D>) -> Result<Layout, PredictiveError> {
        let place = source.extent().places().next().ok_or(PredictiveError::NoDraws)?;
        self.run(source, &mut self.params.clone(), place, |handler| {
            let mut record = Record::find(ask, handler);
            self.model.run(&mut record, self.args.clone());
            record.into_layout()
        })
    }

    /// What all runs have to say, in order.
    pub(super) fn rows(
        &self,
        source: &(impl Source<A, E, D> + Sync),
        layout: &Layout,
        ask: &Ask<'_, E, D>,
    ) -> Result<Vec<Vec<f64>>, PredictiveError>
    where
        Self: Sync,
    {
        self.in_parallel(|params, place| {
            let row = self.run(source, params, place, |handler| {
                let mut record = Record::fill(layout, ask, handler);
                self.model.run(&mut record, self.args.clone());
                record.into_row()
            })?;
            row.map_err(|error| at(place, error))
        })
    }
}

/// Rows as chains.
pub(super) fn chains(extent: Extent, rows: Vec<Vec<f64>>) -> Vec<ChainDraws> {
    let of_chain = |rows: &[Vec<f64>]| {
        let mut chain = ChainDraws::new(rows.first().map_or(0, Vec::len));
        rows.iter().for_each(|row| chain.push(row, SampleStats::default()));
        chain
    };
    rows.chunks(extent.draws).map(of_chain).collect()
}
