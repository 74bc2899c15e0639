//! The log-likelihood of each observation under each draw of a posterior.

use ppl_core::backend::Backend;
use ppl_core::handler::Handler;
use ppl_core::model::{IntoArgs, Model};
use ppl_core::params::ParamStore;
use ppl_core::site::{SampleSite, SiteKind, SiteMask, SiteState};
use ppl_core::{Dtype, Error};

use crate::diagnostics::{Chains, LogLikelihood, Loo, Waic, loo, relative_efficiency, waic};
use crate::draws::{Draws, Role, Variable};

use super::collected::chains;
use super::from_draws::FromDraws;
use super::record::{Entry, Layout};
use super::source::{Extent, Place, Source};
use super::{Predictive, PredictiveError};

/// The log-likelihood of each observation of a model under each draw, with parameters at their initial values;
/// [`Predictive::log_likelihood`] is the same with all options.
///
/// ```no_run
/// # use ppl_infer::{Draws, log_likelihood, predictive::PredictiveError};
/// # use ppl_core::{Cpu, model::Model};
/// # fn compare<M: Model<(f64,), E = f64, D = Cpu> + Sync>(model: M, y: f64, draws: &Draws) -> Result<(), PredictiveError> {
/// println!("{}", log_likelihood(model, (y,), draws)?.loo()?);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As there.
pub fn log_likelihood<A, M, E, D>(
    model: M,
    args: impl IntoArgs<Args = A>,
    draws: &Draws,
) -> Result<PointwiseLogLikelihood, PredictiveError>
where
    A: Clone + Sync,
    M: Model<A, E = E, D = D> + Sync,
    E: Dtype,
    D: Backend<E>,
    ParamStore<E, D>: Sync,
{
    Predictive::posterior(model, args, draws).log_likelihood()
}

impl<A, M, E, D> Predictive<M, A, FromDraws<'_>, E, D>
where
    A: Clone,
    M: Model<A, E = E, D = D>,
    E: Dtype,
    D: Backend<E>,
{
    /// The log-likelihood of each observation under each draw, at the data of the arguments.
    ///
    /// An observation is an element of the plates around an observed site: what is independent of the others
    /// given the latent values stands in a plate of its own. An observed site outside of plates is one
    /// observation, and so is each turn of a plate that is a loop. Terms are scaled as in the model; elements that
    /// [`Mask`](ppl_core::handlers::Mask) leaves out are no observations, and one that its distribution's own mask leaves
    /// out has log-likelihood 0. `factor!` is a term of the joint density, and no observation.
    ///
    /// All latent sites have the draws' values: [`redraw`](Predictive::redraw) and
    /// [`allow_new_sites`](Predictive::allow_new_sites) have no say.
    ///
    /// # Errors
    /// As [`traces`](Predictive::traces); if nothing is observed or there are no draws; if a plate around an
    /// observed site has only some of its rows in the run; if observations come and go from draw to draw.
    pub fn log_likelihood(&self) -> Result<PointwiseLogLikelihood, PredictiveError>
    where
        Self: Sync,
    {
        let source = WithData(&self.source);
        let layout = self.layout(&source, &observed)?;
        let observations: Vec<usize> = counted(&layout).collect();
        if observations.is_empty() {
            return Err(PredictiveError::NoObservations(M::NAME));
        }
        let extent = Source::<A, E, D>::extent(&source);
        let rows = self.rows(&source, &layout, &observed)?;
        let draws = Draws::new(layout.variables, chains(extent, rows));
        let efficiency = efficiency(self.source.draws(), extent);
        Ok(PointwiseLogLikelihood { draws, observations, efficiency })
    }
}

/// The values of draws, for a model with its data.
struct WithData<'s, 'd>(&'s FromDraws<'d>);

impl<A, E: Dtype, D: Backend<E>> Source<A, E, D> for WithData<'_, '_> {
    fn extent(&self) -> Extent {
        Source::<A, E, D>::extent(self.0)
    }

    fn run(
        &self,
        place: Place,
        _: &A,
        inner: &mut dyn Handler<E, D>,
        body: &mut dyn FnMut(&mut dyn Handler<E, D>),
    ) -> Result<(), Error> {
        self.0.run_with_data(place, inner, body)
    }
}

/// The terms of an observed site, one for each element of its plates; NaN for those that do not count.
fn observed<E: Dtype, D: Backend<E>>(site: &dyn SampleSite<E, D>, _: bool) -> Result<Option<Entry>, Error> {
    let state = site.state();
    if !state.observed || state.kind != SiteKind::Sample {
        return Ok(None);
    }
    check_rows(state)?;
    let mut numbers: Vec<f64> = site.log_prob_elements().to_vec().iter().map(|x| x.wide() * state.scale).collect();
    let counts = |element: usize| counts(&state.mask, element);
    numbers.iter_mut().enumerate().filter(|(element, _)| !counts(*element)).for_each(|(_, x)| *x = f64::NAN);
    let dims = state.frames.iter().filter(|frame| !frame.is_loop).map(|frame| frame.len).collect();
    Ok(Some(Entry { dims, role: Role::Deterministic, numbers, mask: state.mask.clone() }))
}

fn check_rows(state: &SiteState) -> Result<(), Error> {
    match state.frames.iter().find(|frame| frame.len != frame.size) {
        Some(frame) => {
            let problem = format!(
                "{} of its {} rows are in this run, so that the log-likelihood of `{}` would lack observations; \
                 give it all rows",
                frame.len, frame.size, state.address
            );
            Err(Error::Plate { plate: frame.name.to_string(), problem })
        }
        None => Ok(()),
    }
}

fn counts(mask: &SiteMask, element: usize) -> bool {
    match mask {
        SiteMask::All(all) => *all,
        SiteMask::Elements(flags) => flags.get(element).copied().unwrap_or(true),
    }
}

/// The places in a row whose elements count.
fn counted(layout: &Layout) -> impl Iterator<Item = usize> + '_ {
    let sites = layout.variables.iter().zip(&layout.masks);
    sites.flat_map(|(variable, mask)| {
        variable.range.clone().filter(move |place| counts(mask, place - variable.range.start))
    })
}

/// The relative efficiency of all numbers of the draws that are finite throughout.
fn efficiency(draws: &Draws, extent: Extent) -> f64 {
    let width = draws.variables().last().map_or(0, |last| last.range.end);
    let thinned = |chain: Vec<f64>| chain.into_iter().step_by(extent.step).collect::<Vec<_>>();
    let columns = (0..width).map(|place| draws.columns(place).into_iter().map(thinned).collect::<Vec<_>>());
    let columns: Vec<_> = columns.filter(|chains| chains.iter().flatten().all(|x| x.is_finite())).collect();
    let quantities = columns.iter().map(|chains| Chains::new(&chains.iter().map(Vec::as_slice).collect::<Vec<_>>()));
    relative_efficiency(&quantities.filter_map(Result::ok).collect::<Vec<_>>())
}

/// The log-likelihood of each observation of a model under each draw.
#[derive(Clone, Debug, PartialEq)]
pub struct PointwiseLogLikelihood {
    draws: Draws,
    /// The places in a row that are observations.
    observations: Vec<usize>,
    efficiency: f64,
}

impl PointwiseLogLikelihood {
    /// The terms as named arrays, chains × draws × plates: one for each observed site, under its name, with NaN
    /// for elements that a mask leaves out.
    pub fn draws(&self) -> &Draws {
        &self.draws
    }

    /// The number of observations: elements that no mask leaves out.
    pub fn num_observations(&self) -> usize {
        self.observations.len()
    }

    /// The names of the observations, `y[3]`, in the order of [`waic`](Self::waic) and [`loo`](Self::loo).
    pub fn names(&self) -> Vec<String> {
        let all: Vec<String> = self.draws.variables().iter().flat_map(Variable::quantities).collect();
        self.observations.iter().map(|&place| all[place].clone()).collect()
    }

    /// All values, chains × draws × observations, as [`LogLikelihood`] takes them.
    pub fn values(&self) -> Vec<f64> {
        let rows = self.draws.chains().iter().flat_map(|chain| chain.rows());
        rows.flat_map(|row| self.observations.iter().map(move |&place| row[place])).collect()
    }

    /// The relative efficiency of the draws, over all their numbers that are finite; 1 of a single chain, as in
    /// ArviZ.
    pub fn relative_efficiency(&self) -> f64 {
        self.efficiency
    }

    /// The widely applicable information criterion.
    ///
    /// # Errors
    /// If there are no draws.
    pub fn waic(&self) -> Result<Waic, PredictiveError> {
        self.judged(|table| Ok(waic(table)))
    }

    /// Leave-one-out cross-validation by Pareto smoothed importance sampling, with the draws' own
    /// [`relative_efficiency`](Self::relative_efficiency).
    ///
    /// # Errors
    /// If there are no draws, or too few to tell their efficiency.
    pub fn loo(&self) -> Result<Loo, PredictiveError> {
        self.judged(|table| Ok(loo(table, self.efficiency)?))
    }

    fn judged<R>(
        &self,
        judge: impl FnOnce(&LogLikelihood<'_>) -> Result<R, PredictiveError>,
    ) -> Result<R, PredictiveError> {
        let (values, draws) = (self.values(), &self.draws);
        judge(&LogLikelihood::new(&values, draws.num_chains(), draws.num_draws(), self.observations.len())?)
    }
}
